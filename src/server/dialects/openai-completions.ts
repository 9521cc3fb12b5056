/** `POST /v1/completions`: wire ↔ GenerateRequests and GenerateEvents. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Language } from '../../shared/language.ts'
import type { FinishReason, GenerateEvent, GenerateRequest, Prompt, TokenLogprob, WireError } from '../../shared/generate.ts'
import { CompletionRequestSchema, type Completion, type CompletionRequest } from '../../shared/openai.ts'
import type { Answer } from '../collect-answer.ts'
import {
  finiteLogprob,
  openAiError,
  STREAM_END,
  waitingComment,
  wireTimings,
  wireUsage,
  type ReplyHead,
  type StreamEncoder,
} from './openai-reply.ts'
import {
  compact,
  ignoredFields,
  keepAliveOf,
  maxTokensOf,
  parseBody,
  refuseFields,
  samplingOf,
  stopOf,
  type RefusedField,
} from './request-fields.ts'

export interface CompletionCall {
  /** One a prompt; their choices are numbered one after the other. */
  requests: GenerateRequest[]
  /** Choices in all. */
  choices: number
  echo: boolean
  stream: boolean
  includeUsage: boolean
  ignored: string[]
}

const REFUSED: Readonly<Record<string, RefusedField>> = {
  suffix: { reason: 'this version does not fill in the middle', harmless: (value) => value === '' },
}

/** OpenAI's default. */
const DEFAULT_MAX_TOKENS = 16
const MAX_CHOICES = 128

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseCompletion(body: unknown, id: string): CompletionCall {
  const call = parseBody(CompletionRequestSchema, body)
  refuseFields(call, REFUSED)
  refuseCombinations(call)
  const prompts = promptsOf(call.prompt)
  const perPrompt = call.n ?? 1
  const choices = prompts.length * perPrompt
  if (choices > MAX_CHOICES) throw new AppError('invalid-field', { field: 'n', reason: `prompts × n must be at most ${MAX_CHOICES}` })
  const common = {
    model: call.model,
    sampling: samplingOf(call),
    stop: stopOf(call.stop),
    ignoreEos: call.ignore_eos ?? false,
    choices: perPrompt,
    deterministic: call.deterministic ?? false,
    // The caller wrote the raw prompt and gets the raw text.
    reasoning: 'text' as const,
    ...compact({
      maxTokens: call.max_tokens === undefined || call.max_tokens === null ? DEFAULT_MAX_TOKENS : maxTokensOf(call.max_tokens),
      logprobs: call.logprobs,
      keepAlive: keepAliveOf(call.keep_alive),
    }),
  }
  return {
    requests: prompts.map((prompt, index) => Object.assign({ prompt, id: prompts.length > 1 ? `${id}-${index}` : id }, common)),
    choices,
    echo: call.echo ?? false,
    stream: call.stream ?? false,
    includeUsage: call.stream_options?.include_usage ?? false,
    ignored: ignoredFields(call, CompletionRequestSchema.shape),
  }
}

function refuseCombinations({ best_of: bestOf, n, echo, logprobs }: CompletionRequest): void {
  if ((bestOf ?? 1) > (n ?? 1)) {
    throw new AppError('unsupported-field', { field: 'best_of', reason: 'ask for n choices with logprobs, and choose' })
  }
  if (echo && typeof logprobs === 'number') {
    throw new AppError('unsupported-field', {
      field: 'logprobs',
      reason: 'the tokens of the prompt have none here, so it cannot go with "echo"',
    })
  }
}

function promptsOf(prompt: CompletionRequest['prompt']): Prompt[] {
  if (typeof prompt === 'string') return [{ type: 'text', text: prompt }]
  if (isTokenList(prompt)) return [{ type: 'tokens', tokens: prompt }]
  return prompt.map((item) => (typeof item === 'string' ? { type: 'text', text: item } : { type: 'tokens', tokens: item }))
}

function isTokenList(prompt: string[] | number[] | number[][]): prompt is number[] {
  return typeof prompt[0] === 'number'
}

type WireReason = 'stop' | 'length'

function wireReason(reason: FinishReason): WireReason {
  return reason === 'length' ? 'length' : 'stop'
}

/** The reply that is not streamed. `echoes[i]` comes before choice i. */
export function completionReply(
  answer: Answer,
  head: ReplyHead,
  options: { withLogprobs: boolean; echoes: readonly string[] },
): Completion {
  return {
    id: head.id,
    object: 'text_completion',
    created: head.created,
    model: head.model,
    system_fingerprint: head.fingerprint,
    choices: answer.choices.map((choice, index) => ({
      index,
      text: (options.echoes[index] ?? '') + choice.text,
      logprobs: options.withLogprobs ? legacyLogprobs(choice.textLogprobs, 0) : null,
      finish_reason: wireReason(choice.reason),
    })),
    usage: wireUsage(answer.usage),
    timings: wireTimings(answer.timings, answer.usage),
  }
}

type LegacyLogprobs = NonNullable<Completion['choices'][number]['logprobs']>

/** Lists side by side, as the old API had them. `offset` is where the first token begins in the text, in characters. */
function legacyLogprobs(logprobs: readonly TokenLogprob[], offset: number): LegacyLogprobs {
  const result: LegacyLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] }
  let position = offset
  for (const { token, logprob, top } of logprobs) {
    result.tokens.push(token)
    result.token_logprobs.push(finiteLogprob(logprob))
    // The sampled token is always among them, so there may be one more than were asked for.
    result.top_logprobs.push(Object.fromEntries([...top, { token, logprob }].map((one) => [one.token, finiteLogprob(one.logprob)])))
    result.text_offset.push(position)
    position += token.length
  }
  return result
}

export interface CompletionEncoderOptions {
  choices: number
  includeUsage: boolean
  echoes: readonly string[]
  language: Language
}

/** The streamed reply; see the chat encoder for what is held and why. */
export function createCompletionEncoder(head: ReplyHead, options: CompletionEncoderOptions): StreamEncoder<GenerateEvent> {
  const { choices, includeUsage, echoes, language } = options
  const start = chunkStart(head)
  const usageNull = includeUsage ? ',"usage":null' : ''
  const offsets = new Map<number, number>()
  const begun = new Set<number>()
  let ended = 0
  let held: string | undefined

  const frame = (choice: number, text: string, logprobs = 'null', finish = 'null', tail = usageNull): string =>
    `${start}[{"index":${choice},"text":${text},"logprobs":${logprobs},"finish_reason":${finish}}]${tail}}\n\n`
  const begin = (choice: number): string => {
    const echo = begun.has(choice) ? undefined : echoes[choice]
    begun.add(choice)
    return echo ? frame(choice, JSON.stringify(echo)) : ''
  }
  const logprobsOf = (choice: number, logprobs: readonly TokenLogprob[] | undefined): string => {
    if (!logprobs) return 'null'
    const offset = offsets.get(choice) ?? 0
    offsets.set(choice, offset + logprobs.reduce((sum, { token }) => sum + token.length, 0))
    return JSON.stringify(legacyLogprobs(logprobs, offset))
  }
  const endChoice = (choice: number, reason: FinishReason): string => {
    const opening = begin(choice)
    const chunk = (tail: string): string => frame(choice, '""', 'null', `"${wireReason(reason)}"`, tail)
    if (++ended < choices) return opening + chunk(usageNull)
    // Without a usage chunk this one is the last, and gets the timings.
    held = includeUsage ? undefined : chunk(HELD_TAIL)
    return includeUsage ? opening + chunk(usageNull) : opening
  }
  const finish = ({ usage, timings }: Extract<GenerateEvent, { type: 'finish' }>): string => {
    const times = `,"timings":${JSON.stringify(wireTimings(timings, usage))}`
    if (!includeUsage) return held?.replace(HELD_TAIL, () => times) ?? ''
    return `${start}[],"usage":${JSON.stringify(wireUsage(usage))}${times}}\n\n`
  }
  const error = (cause: WireError): string => `data: ${JSON.stringify(openAiError(cause, language))}\n\n`
  return {
    encode(event) {
      switch (event.type) {
        case 'queued':
        case 'loading':
        case 'prefill':
          return waitingComment(event)
        case 'text-delta':
        case 'reasoning-delta':
          return begin(event.choice) + frame(event.choice, JSON.stringify(event.text), logprobsOf(event.choice, event.logprobs))
        case 'tool-call-delta':
          return ''
        case 'choice-end':
          return endChoice(event.choice, event.reason)
        case 'finish':
          return finish(event)
        case 'error':
          return error(event.error)
      }
    },
    error,
    end: () => STREAM_END,
  }
}

/** Cannot occur inside JSON text: a control character is always escaped there. */
const HELD_TAIL = '\u0000'

function chunkStart({ id, created, model, fingerprint }: ReplyHead): string {
  const constant = JSON.stringify({ id, object: 'text_completion', created, model, system_fingerprint: fingerprint })
  return `data: ${constant.slice(0, -1)},"choices":`
}
