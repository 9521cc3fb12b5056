/** What the OpenAI dialects share on the way in: checked bodies, refused fields, sampling. Pure. */
import type { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import type { Sampling } from '../../shared/generate.ts'
import type { ChatRequest } from '../../shared/openai.ts'

/** A field that we know and cannot honour. Absent, null and harmless values pass. */
export interface RefusedField {
  reason: string
  harmless?: (value: unknown) => boolean
}

/** Throws `invalid-request` or `invalid-field`, naming the field as a path: `messages[0].content`. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('invalid-request', { reason: 'the body must be a JSON object' })
  }
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const { path, message } = deepestIssue(result.error.issues)
  throw new AppError('invalid-field', { field: formatPath(path), reason: message })
}

/** Throws `unsupported-field` for the first field of the table that asks for something. */
export function refuseFields(body: Readonly<Record<string, unknown>>, refused: Readonly<Record<string, RefusedField>>): void {
  for (const [field, { reason, harmless }] of Object.entries(refused)) {
    const value = Object.hasOwn(body, field) ? body[field] : undefined
    if (value === undefined || value === null || harmless?.(value)) continue
    throw new AppError('unsupported-field', { field, reason })
  }
}

/** Names of fields that have no effect here: not in the schema, and not null. */
export function ignoredFields(body: Readonly<Record<string, unknown>>, known: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(body).filter((field) => !Object.hasOwn(known, field) && body[field] !== null)
}

type SamplingBody = Pick<
  ChatRequest,
  | 'temperature'
  | 'top_p'
  | 'top_k'
  | 'min_p'
  | 'typical_p'
  | 'xtc_probability'
  | 'xtc_threshold'
  | 'dry_multiplier'
  | 'dry_base'
  | 'dry_allowed_length'
  | 'dry_penalty_last_n'
  | 'dry_sequence_breakers'
  | 'repetition_penalty'
  | 'repeat_penalty'
  | 'repeat_last_n'
  | 'frequency_penalty'
  | 'presence_penalty'
  | 'logit_bias'
  | 'seed'
>

export function samplingOf(body: SamplingBody): Sampling {
  return compact({
    temperature: body.temperature,
    topK: body.top_k === -1 ? 0 : body.top_k,
    topP: body.top_p,
    minP: body.min_p,
    typicalP: body.typical_p,
    xtcProbability: body.xtc_probability,
    xtcThreshold: body.xtc_threshold,
    dryMultiplier: body.dry_multiplier,
    dryBase: body.dry_base,
    dryAllowedLength: body.dry_allowed_length,
    dryPenaltyLastN: body.dry_penalty_last_n,
    drySequenceBreakers: body.dry_sequence_breakers,
    repetitionPenalty: body.repetition_penalty ?? body.repeat_penalty,
    penaltyLastN: body.repeat_last_n,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    logitBias: body.logit_bias,
    seed: seedOf(body.seed),
  })
}

/** OpenAI's seeds are signed 64-bit numbers, the sampler's unsigned 32-bit; −1 is llama-server's "random". */
function seedOf(seed: number | null | undefined): number | undefined {
  if (seed === null || seed === undefined || seed === -1) return undefined
  return ((seed % 2 ** 32) + 2 ** 32) % 2 ** 32
}

/** Seconds from a number or from Ollama's notation (`30s`, `5m`, `1h30m`); anything negative is −1, for ever. */
export function keepAliveOf(value: number | string | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined
  const seconds = typeof value === 'number' ? value : parseDuration(value)
  if (seconds === undefined) throw new AppError('invalid-field', { field: 'keep_alive', reason: 'expected seconds or a text such as 5m' })
  return seconds < 0 ? -1 : seconds
}

const SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 }

/** Go's durations (time.ParseDuration), which Ollama's clients write, or a plain number. */
function parseDuration(text: string): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (!/^[-+]?(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)]
  const seconds = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (SECONDS[unit] ?? 0), 0)
  return text.startsWith('-') ? -seconds : seconds
}

/** One or several stop strings; an empty one stops nothing. */
export function stopOf(stop: string | string[] | null | undefined): string[] {
  const all = typeof stop === 'string' ? [stop] : (stop ?? [])
  return all.filter((text) => text !== '')
}

export interface StreamWishes {
  stream: boolean
  includeUsage: boolean
  /** Hide the lengths of what is streamed. */
  obfuscate: boolean
}

/** Throws `invalid-field` for `stream_options` without a stream, as OpenAI does. */
export function streamOptionsOf({ stream, stream_options: options }: Pick<ChatRequest, 'stream' | 'stream_options'>): StreamWishes {
  if (options && !stream) throw new AppError('invalid-field', { field: 'stream_options', reason: 'it needs "stream": true' })
  return { stream: stream ?? false, includeUsage: options?.include_usage ?? false, obfuscate: options?.include_obfuscation ?? false }
}

/** −1 is "no limit". */
export function maxTokensOf(value: number | null | undefined): number | undefined {
  return value === null || value === -1 ? undefined : value
}

type Compact<T> = { [K in keyof T]?: Exclude<T[K], null | undefined> }

/** Without the keys that are null or undefined. */
export function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null && item !== undefined)) as Compact<T>
}

/** True for data whose nesting stays within `depth`: what is deeper can break whoever walks it by recursion. */
export function isShallow(value: unknown, depth = 32): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((item) => isShallow(item, depth - 1))
}

/** A union fails with the issues of all its branches; the one that got furthest tells the most. */
function deepestIssue(issues: readonly z.core.$ZodIssue[]): { path: PropertyKey[]; message: string } {
  const all = issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union') return [issue]
    const inner = deepestIssue(issue.errors.flat())
    return inner.path.length > 0 ? [{ path: [...issue.path, ...inner.path], message: inner.message }] : [issue]
  })
  const longest = all.reduce(
    (best, issue) => (issue.path.length > best.path.length ? issue : best),
    all[0] ?? { path: [], message: 'invalid' },
  )
  return { path: longest.path, message: longest.message }
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`)).join('') || 'body'
}
