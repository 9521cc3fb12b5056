import type { JSX } from 'react'
import { classNames } from '../components/ui/class-names.ts'

export interface MeterProps {
  label: string
  parts: { name: string; value: number; text: string }[]
  total: number
  /** Words below the bar, beside the colours. */
  showParts?: boolean
}

const colours = ['bg-accent', 'bg-second', 'bg-third'] as const

/** A stacked bar. */
export function Meter({ label, parts, total, showParts = false }: MeterProps): JSX.Element {
  const sum = parts.reduce((all, { value }) => all + value, 0)
  const percent = (value: number): number => (total > 0 ? Math.min(100, (value / total) * 100) : 0)
  return (
    <>
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(percent(sum))}
        className="mt-1.5 flex h-1.5 gap-px overflow-hidden rounded-full bg-line"
      >
        {parts.map(({ name, value }, index) => (
          <div key={name} className={colours[index % colours.length]} style={{ width: `${percent(value)}%` }} />
        ))}
      </div>
      {showParts && (
        <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted tabular-nums">
          {parts.map(({ name, text }, index) => (
            <li key={name} className="flex items-center gap-1.5">
              <span aria-hidden="true" className={classNames('size-2 rounded-sm', colours[index % colours.length])} />
              {name} {text}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
