/** What chat and generate of Ollama share on the way in: options, thinking, format, durations. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { GenerateRequest, OutputFormat, Prompt, Sampling } from '../../shared/generate.ts'
import {
  OllamaOptionsSchema,
  type OllamaChatRequest,
  type OllamaEmbedRequest,
  type OllamaGenerateRequest,
  type OllamaOptions,
} from '../../shared/ollama/requests.ts'
import { checkJsonSchema } from './json-schema-check.ts'
import { compact, samplingOf, stopOf } from './request-fields.ts'

type Wishes = OllamaChatRequest | OllamaGenerateRequest
type Thinking = Extract<Prompt, { type: 'messages' }>['thinking']

/** Everything of a GenerateRequest but its prompt. Throws `invalid-field`. */
export function ollamaWishes(call: Wishes): Omit<GenerateRequest, 'id' | 'prompt'> {
  const options = call.options ?? {}
  return {
    model: call.model,
    sampling: ollamaSampling(options),
    stop: stopOf(options.stop),
    ignoreEos: false,
    choices: 1,
    deterministic: false,
    reasoning: 'split',
    truncation: call.truncate === false ? 'disabled' : 'auto',
    ...compact({
      output: ollamaOutput(call.format),
      maxTokens: maxTokensOf(options.num_predict),
      logprobs: call.logprobs ? (call.top_logprobs ?? 0) : undefined,
      keepAlive: ollamaKeepAlive(call.keep_alive),
    }),
  }
}

function ollamaSampling(options: OllamaOptions): Sampling {
  const { temperature, top_k, repeat_last_n, seed, top_p, min_p, typical_p, repeat_penalty, presence_penalty, frequency_penalty } = options
  return samplingOf({
    // Anything that is not above 0 means: the most likely token; none at all, for the other two.
    temperature: atLeast(0, temperature, 100),
    top_k: whole(atLeast(0, top_k, 0x7fff_ffff)),
    repeat_last_n: whole(atLeast(-1, repeat_last_n, 0x7fff_ffff)),
    seed: typeof seed === 'number' && seed >= 0 && Number.isSafeInteger(Math.trunc(seed)) ? Math.trunc(seed) : undefined,
    top_p,
    min_p,
    typical_p,
    repeat_penalty,
    presence_penalty,
    frequency_penalty,
  })
}

function atLeast(least: number, value: number | null | undefined, most: number): number | undefined {
  return typeof value === 'number' ? Math.min(most, Math.max(least, value)) : undefined
}

function whole(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.trunc(value)
}

/** −1 is "no limit", −2 "fill the window". */
function maxTokensOf(value: number | null | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.min(Math.trunc(value), 0x7fff_ffff) : undefined
}

/** Names of the options without effect, e.g. `options.num_ctx`. */
export function ignoredOptions(options: OllamaOptions | null | undefined): string[] {
  const known: Readonly<Record<string, unknown>> = OllamaOptionsSchema.shape
  return Object.entries(options ?? {})
    .filter(([name, value]) => !Object.hasOwn(known, name) && value !== null)
    .map(([name]) => `options.${name}`)
}

/** For embeddings, whose options can only be about loading: nothing is sampled. */
export function ignoredEmbedOptions({ options }: Pick<OllamaEmbedRequest, 'options'>): string[] {
  return Object.entries(options ?? {}).flatMap(([name, value]) => (value === null ? [] : [`options.${name}`]))
}

/** Throws `invalid-field` for what is neither `json` nor a schema. */
function ollamaOutput(format: Wishes['format']): OutputFormat | undefined {
  if (format === null || format === undefined || format === '') return undefined
  if (format === 'json') return { type: 'json-object' }
  if (typeof format === 'string') throw new AppError('invalid-field', { field: 'format', reason: 'expected json or a JSON Schema' })
  checkJsonSchema(format, 'format')
  return { type: 'json-schema', schema: format }
}

/** Absent: the model's default. A level is an effort too. */
export function ollamaThinking(think: Wishes['think']): Thinking {
  if (think === null || think === undefined) return undefined
  return typeof think === 'boolean' ? { enabled: think } : { enabled: true, effort: think }
}

/** Ollama tells thoughts unless they are declined. */
export function showsThoughts({ think }: Pick<Wishes, 'think'>): boolean {
  return think !== false
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }

/**
 * Seconds from a number or from Go's notation (`5m`, `1h30m`, `1.5s`, `300ms`); anything negative is −1, for ever.
 * Source: time.ParseDuration. Throws `invalid-field`.
 */
export function ollamaKeepAlive(value: number | string | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined
  const seconds = typeof value === 'number' ? value : durationSeconds(value.trim())
  if (seconds === undefined) throw new AppError('invalid-field', { field: 'keep_alive', reason: 'expected seconds or a text such as 5m' })
  return seconds < 0 ? -1 : seconds
}

function durationSeconds(text: string): number | undefined {
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (!/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)]
  const seconds = parts.reduce((total, [, number, unit]) => total + Number(number) * (UNITS[unit ?? ''] ?? 0), 0)
  return text.startsWith('-') ? -seconds : seconds
}

/** Throws `unsupported-field` when there are any. */
export function refuseImages(images: readonly unknown[] | null | undefined, field: string): void {
  if (!images || images.length === 0) return
  throw new AppError('unsupported-field', { field, reason: 'this model reads text only; describe the image in words' })
}
