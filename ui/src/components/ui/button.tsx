import type { ComponentProps, JSX } from 'react'
import { classNames } from './class-names.ts'
import { Tooltip } from './tooltip.tsx'

const looks = {
  primary: 'bg-accent text-accent-ink hover:bg-accent-strong disabled:bg-hover disabled:text-muted',
  plain: 'border border-line bg-card text-ink hover:bg-hover disabled:opacity-50',
  quiet: 'text-muted hover:bg-hover hover:text-ink disabled:opacity-40',
  danger: 'bg-danger text-danger-ink hover:opacity-90 disabled:opacity-50',
} as const

export interface ButtonProps extends ComponentProps<'button'> {
  look?: keyof typeof looks
}

export function Button({ look = 'plain', className, ...props }: ButtonProps): JSX.Element {
  return (
    <button
      type="button"
      className={classNames(
        'inline-flex h-9 pointer-coarse:min-h-10 shrink-0 items-center justify-center gap-1.5 rounded-xl px-3.5 text-sm font-medium whitespace-nowrap transition-colors disabled:pointer-events-none',
        looks[look],
        className,
      )}
      {...props}
    />
  )
}

const sizes = { small: 'size-8 text-[15px]', medium: 'size-9 text-[17px]', touch: 'size-10 text-lg' } as const

export interface IconButtonProps extends ComponentProps<'button'> {
  /** Its name, also shown as a tooltip. */
  label: string
  size?: keyof typeof sizes
  look?: keyof typeof looks
}

export function IconButton({ label, size = 'medium', look = 'quiet', className, ...props }: IconButtonProps): JSX.Element {
  return (
    <Tooltip text={label}>
      <button
        type="button"
        aria-label={label}
        className={classNames(
          'inline-flex pointer-coarse:min-h-10 pointer-coarse:min-w-10 shrink-0 items-center justify-center rounded-lg transition-colors disabled:pointer-events-none',
          sizes[size],
          looks[look],
          className,
        )}
        {...props}
      />
    </Tooltip>
  )
}
