import { Tooltip as Radix } from 'radix-ui'
import type { JSX, ReactElement } from 'react'

export function TooltipProvider({ children }: { children: ReactElement }): JSX.Element {
  return (
    <Radix.Provider delayDuration={500} skipDelayDuration={200}>
      {children}
    </Radix.Provider>
  )
}

/** The name of an icon button, for eyes. The button carries it as its label already. */
export function Tooltip({ text, children }: { text: string; children: ReactElement }): JSX.Element {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          sideOffset={6}
          collisionPadding={8}
          className="floating pointer-events-none z-50 max-w-[min(20rem,calc(100vw-16px))] truncate rounded-lg bg-ink px-2.5 py-1.5 text-xs text-paper"
        >
          {text}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
