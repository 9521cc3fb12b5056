import { Dialog as Radix } from 'radix-ui'
import type { JSX, ReactNode } from 'react'
import { classNames } from './class-names.ts'

export interface DialogProps {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: string
  /** `drawer` slides in from the left, for phones. */
  shape?: 'window' | 'drawer'
  children: ReactNode
}

const shapes = {
  window:
    'pop-in top-1/2 left-1/2 w-[min(26rem,calc(100vw-32px))] -translate-x-1/2 -translate-y-1/2 rounded-3xl border border-line bg-card p-6 shadow-float',
  drawer: 'drawer slide-in inset-y-0 left-0 w-[min(19rem,86vw)] bg-side shadow-float',
} as const

/** Not the first button inside, whose tooltip would open. */
function focusFrame(event: Event): void {
  event.preventDefault()
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus()
}

/** With a backdrop of our own: Radix's writes a style element, which the Content-Security-Policy forbids. */
export function Dialog({ open, onOpenChange, title, shape = 'window', children }: DialogProps): JSX.Element {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <div className="backdrop fixed inset-0 z-40" aria-hidden="true" />
        <Radix.Content
          aria-describedby={undefined}
          onOpenAutoFocus={focusFrame}
          className={classNames('fixed z-50 text-ink outline-none', shapes[shape])}
        >
          <Radix.Title className={shape === 'window' ? 'mb-2 text-lg font-semibold' : 'sr-only'}>{title}</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
