/** Numbers, sizes and times in the reader's language. Pure functions, and a hook that binds them to the current language. */
import i18next from 'i18next'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'

export interface Format {
  number(value: number, digits?: number): string
  /** `1.5B`, as parameters are counted in every language. */
  compact(value: number): string
  /** `3rd`; a plain number in Chinese. */
  ordinal(value: number): string
  /** 0…1. */
  percent(fraction: number): string
  /** Units of 10^9: GB. */
  bytes(value: number): string
  /** `340 ms`, `1.2 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
  duration(milliseconds: number): string
}

type Translate = (key: 'unit.day' | 'unit.hour' | 'unit.minute' | 'unit.second' | 'unit.millisecond', values: { amount: string }) => string

export function createFormat(locale: string, translate: Translate): Format {
  const number = (value: number, digits = 0): string => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)
  return {
    number,
    compact: (value) => new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(value),
    ordinal: (value) => (locale === 'en' ? `${number(value)}${englishSuffix(value)}` : number(value)),
    percent: (fraction) => new Intl.NumberFormat(locale, { style: 'percent' }).format(fraction),
    bytes: (value) => formatBytes(value, number),
    duration: (milliseconds) => formatDuration(milliseconds, number, translate),
  }
}

export function useFormat(): Format {
  const { i18n } = useTranslation()
  const { language } = i18n
  return useMemo(() => createFormat(language, (key, values) => i18next.t(key, values)), [language])
}

function formatBytes(value: number, number: Format['number']): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  const step = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3))
  const scaled = value / 1000 ** step
  return `${number(scaled, scaled < 10 && step > 0 ? 1 : 0)} ${units[step]}`
}

function formatDuration(milliseconds: number, number: Format['number'], translate: Translate): string {
  const seconds = milliseconds / 1000
  if (milliseconds < 995) return translate('unit.millisecond', { amount: number(Math.max(0, milliseconds)) })
  if (seconds < 9.95) return translate('unit.second', { amount: number(seconds, 1) })
  const whole = Math.round(seconds)
  const parts = [
    ['unit.day', Math.floor(whole / 86_400)],
    ['unit.hour', Math.floor(whole / 3600) % 24],
    ['unit.minute', Math.floor(whole / 60) % 60],
    ['unit.second', whole % 60],
  ] as const
  const first = parts.findIndex(([, count]) => count > 0)
  return parts
    .slice(first, first + 2)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => translate(unit, { amount: number(count) }))
    .join(' ')
}

function englishSuffix(value: number): string {
  const suffixes: Record<string, string> = { one: 'st', two: 'nd', few: 'rd' }
  return suffixes[new Intl.PluralRules('en', { type: 'ordinal' }).select(value)] ?? 'th'
}
