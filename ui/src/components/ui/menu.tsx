import { DropdownMenu as Radix } from 'radix-ui'
import type { ComponentProps, JSX, ReactElement, ReactNode } from 'react'
import { CheckIcon } from './icons.tsx'
import { classNames } from './class-names.ts'
import { useLandmark } from './use-landmark.ts'

const item =
  'flex min-h-9 pointer-coarse:min-h-10 cursor-default select-none items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-sm outline-none data-[highlighted]:bg-hover data-[disabled]:opacity-50'

export interface MenuProps {
  trigger: ReactElement
  children: ReactNode
  align?: 'start' | 'center' | 'end'
  side?: 'top' | 'bottom'
  className?: string
}

/** Not modal: Radix's scroll lock writes a style element, which the Content-Security-Policy forbids. */
export function Menu({ trigger, children, align = 'start', side = 'bottom', className }: MenuProps): JSX.Element {
  const { trigger: ref, container, onOpenChange } = useLandmark()
  return (
    <Radix.Root modal={false} onOpenChange={onOpenChange}>
      <Radix.Trigger asChild ref={ref}>
        {trigger}
      </Radix.Trigger>
      <Radix.Portal container={container}>
        <Radix.Content
          align={align}
          side={side}
          sideOffset={6}
          collisionPadding={10}
          className={classNames('floating z-50 min-w-44 rounded-2xl border border-line bg-card p-1.5 text-ink shadow-float', className)}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

export function MenuItem({ className, ...props }: ComponentProps<typeof Radix.Item>): JSX.Element {
  return <Radix.Item className={classNames(item, className)} {...props} />
}

export interface MenuChoiceProps<Value extends string> {
  value: Value | undefined
  onChange: (value: Value) => void
  options: readonly { value: Value; content: ReactNode }[]
  label: string
}

export function MenuChoice<Value extends string>({ value, onChange, options, label }: MenuChoiceProps<Value>): JSX.Element {
  return (
    <Radix.RadioGroup value={value ?? ''} onValueChange={(chosen) => onChange(chosen as Value)} aria-label={label}>
      {options.map((option) => (
        <Radix.RadioItem key={option.value} value={option.value} className={item}>
          <span className="min-w-0 flex-1">{option.content}</span>
          <Radix.ItemIndicator className="text-accent">
            <CheckIcon />
          </Radix.ItemIndicator>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  )
}

export function MenuLine(): JSX.Element {
  return <Radix.Separator className="mx-1 my-1.5 h-px bg-line" />
}
