/** The kinds of value that a setting can have. Each reads the text of a flag or variable, and the JSON of the config file. */
import { z } from 'zod'
import type { Localized } from '../shared/language.ts'

export interface Kind<Output> {
  schema: z.ZodType<Output>
  /** What a value looks like, for messages and documentation. */
  expected: Localized
  /** A flag without a value, e.g. `--offline`; its opposite is `--no-offline`. */
  isBoolean?: true
  /** The flag may be given several times; a variable separates the values by commas. */
  isList?: true
}

const TRUE = new Set(['1', 'true', 'yes', 'on'])
const FALSE = new Set(['0', 'false', 'no', 'off'])
const BYTE_UNITS: Record<string, number> = { '': 1, b: 1, k: 1e3, kb: 1e3, m: 1e6, mb: 1e6, g: 1e9, gb: 1e9, t: 1e12, tb: 1e12 }
const BINARY_UNITS: Record<string, number> = { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }
/** As model makers write windows: 128K is 131,072. */
const TOKEN_UNITS: Record<string, number> = { '': 1, k: 2 ** 10, m: 2 ** 20 }
const SECONDS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }

export function text(expected: Localized = { en: 'a text', zh: '一段文字' }): Kind<string> {
  return { schema: z.string().trim().min(1), expected }
}

export function integer(least: number, most: number): Kind<number> {
  const range = `${least} … ${most}`
  return {
    schema: z.preprocess(numberFromText, z.number().int().min(least).max(most)),
    expected: { en: `a whole number, ${range}`, zh: `整数，${range}` },
  }
}

/** A number of tokens: `8192`, `32K` (2^10), `1M` (2^20). */
export function tokens(least: number, most: number): Kind<number> {
  return {
    schema: z.preprocess((raw) => scaled(raw, TOKEN_UNITS), z.number().int().min(least).max(most)),
    expected: { en: `a number of tokens such as 8192 or 32K, ${least} … ${most}`, zh: `token 数，例如 8192 或 32K，${least} … ${most}` },
  }
}

export function boolean(): Kind<boolean> {
  return { schema: z.preprocess(booleanFromText, z.boolean()), expected: { en: 'true or false', zh: 'true 或 false' }, isBoolean: true }
}

/** Bytes: `1500000`, `512MB` (10^6), `4GiB` (2^30). */
export function bytes(): Kind<number> {
  return {
    schema: z.preprocess((raw) => scaled(raw, { ...BYTE_UNITS, ...BINARY_UNITS }), z.number().int().nonnegative()),
    expected: { en: 'a size such as 512MB or 4GiB', zh: '大小，例如 512MB 或 4GiB' },
  }
}

/** Seconds: `90`, `5m`, `2h`; -1 is for ever. */
export function duration(): Kind<number> {
  return {
    schema: z.preprocess((raw) => scaled(raw, SECONDS), z.number().min(-1)),
    expected: { en: 'a time such as 90, 5m or 2h; -1 = for ever', zh: '时长，例如 90、5m 或 2h；-1 表示永久' },
  }
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values): Kind<Values[number]> {
  return { schema: z.enum(values) as unknown as z.ZodType<Values[number]>, expected: { en: values.join(' | '), zh: values.join(' | ') } }
}

export function httpUrl(): Kind<string> {
  const schema = z
    .string()
    .trim()
    .refine((value) => /^https?:\/\/[^\s/]+/i.test(value) && URL.canParse(value))
  return { schema, expected: { en: 'an http:// or https:// address', zh: 'http:// 或 https:// 地址' } }
}

/**
 * What browsers send as `Origin` (RFC 6454), so that it can be compared as a text: also that of an extension or of a desktop program, `null` for
 * pages without one, `*` for all.
 */
export function origin(): Kind<string> {
  return {
    schema: z.preprocess(normalOrigin, z.string().regex(/^(?:\*|null|[a-z][a-z\d+.-]*:\/\/[^\s/?#@*]+)$/)),
    expected: {
      en: 'an origin such as http://localhost:3000 or chrome-extension://…; * = every page',
      zh: '来源，例如 http://localhost:3000 或 chrome-extension://…；* 表示所有网页',
    },
  }
}

export function list(element: Kind<string>): Kind<string[]> {
  const split = (raw: unknown): unknown =>
    typeof raw === 'string'
      ? raw
          .split(',')
          .map((part) => part.trim())
          .filter(Boolean)
      : raw
  return { schema: z.preprocess(split, z.array(element.schema)), expected: element.expected, isList: true }
}

/** `HTTP://Localhost:80/` → `http://localhost` */
function normalOrigin(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw
  const written = raw.trim().replace(/\/$/, '')
  const { origin: normal } =
    /^https?:\/\/[^/?#@]+$/i.test(written) && URL.canParse(written) ? new URL(written) : { origin: written.toLowerCase() }
  return normal
}

function numberFromText(raw: unknown): unknown {
  return typeof raw === 'string' && /^[+-]?\d+(\.\d+)?$/.test(raw.trim()) ? Number(raw) : raw
}

function booleanFromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw
  const lower = raw.trim().toLowerCase()
  return TRUE.has(lower) ? true : FALSE.has(lower) ? false : raw
}

function scaled(raw: unknown, units: Record<string, number>): unknown {
  const match = typeof raw === 'string' ? /^([+-]?\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(raw.trim()) : null
  const unit = match && units[(match[2] ?? '').toLowerCase()]
  return match && unit ? Math.round(Number(match[1]) * unit * 1000) / 1000 : raw
}
