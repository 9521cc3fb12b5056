import { Popover as Radix } from 'radix-ui'
import type { JSX, ReactElement, ReactNode } from 'react'

export interface PopoverProps {
  trigger: ReactElement
  title: string
  children: ReactNode
}

export function Popover({ trigger, title, children }: PopoverProps): JSX.Element {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align="end"
          sideOffset={8}
          collisionPadding={12}
          aria-label={title}
          className="floating z-50 max-h-(--radix-popover-content-available-height) w-[min(23rem,calc(100vw-24px))] overflow-y-auto rounded-2xl border border-line bg-card p-4 text-ink shadow-float outline-none"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
