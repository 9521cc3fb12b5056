import { Tooltip as Radix } from 'radix-ui'
import type { JSX, ReactElement } from 'react'
import { useLandmark } from './use-landmark.ts'

export function TooltipProvider({ children }: { children: ReactElement }): JSX.Element {
  return (
    <Radix.Provider delayDuration={500} skipDelayDuration={200}>
      {children}
    </Radix.Provider>
  )
}

/** The name of an icon button, for eyes. The button carries it as its label already. */
export function Tooltip({ text, children }: { text: string; children: ReactElement }): JSX.Element {
  const { trigger, container, onOpenChange } = useLandmark()
  return (
    <Radix.Root onOpenChange={onOpenChange}>
      <Radix.Trigger asChild ref={trigger}>
        {children}
      </Radix.Trigger>
      <Radix.Portal container={container}>
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
