/** `POST /v1/completions`: the request as GenerateRequests, and the reply that is not streamed. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { FinishReason, GenerateRequest, Prompt, TokenLogprob } from '../../shared/generate.ts'
import { CompletionRequestSchema, type Completion, type CompletionRequest } from '../../shared/openai.ts'
import type { Answer, AnswerChoice } from '../collect-answer.ts'
import { characterCount, echoLogprobs, joinLogprobs, legacyLogprobs } from './legacy-logprobs.ts'
import { wireNotices, wireTimings, wireUsage, type ReplyHead } from './openai-reply.ts'
import { outputOf } from './output-format.ts'
import {
  compact,
  ignoredFields,
  keepAliveOf,
  maxTokensOf,
  parseBody,
  samplingOf,
  stopOf,
  streamOptionsOf,
  type StreamWishes,
} from './request-fields.ts'

export interface CompletionCall extends StreamWishes {
  /** One a prompt; their choices are numbered one after the other. */
  requests: GenerateRequest[]
  /** Choices in the reply, for each prompt. */
  perPrompt: number
  /** Choices in the reply, all in all. */
  choices: number
  echo: boolean
  withLogprobs: boolean
  ignored: string[]
}

/** The prompt before a choice, when it is echoed. */
export interface Echo {
  text: string
  /** Its tokens, when log-probabilities were asked for. */
  tokens: readonly TokenLogprob[]
}

/** OpenAI's default. */
const DEFAULT_MAX_TOKENS = 16
const MAX_CHOICES = 128

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseCompletion(body: unknown, id: string): CompletionCall {
  const call = parseBody(CompletionRequestSchema, body)
  const prompts = promptsOf(call)
  const perPrompt = call.n ?? 1
  const generated = bestOf(call) ?? perPrompt
  if (prompts.length * generated > MAX_CHOICES) {
    throw new AppError('invalid-field', { field: 'n', reason: `prompts × n (or best_of) must be at most ${MAX_CHOICES}` })
  }
  const withLogprobs = typeof call.logprobs === 'number'
  const common = {
    model: call.model,
    sampling: samplingOf(call),
    stop: stopOf(call.stop),
    ignoreEos: call.ignore_eos ?? false,
    choices: generated,
    deterministic: call.deterministic ?? false,
    // The caller wrote the raw prompt and gets the raw text.
    reasoning: 'text' as const,
    ...compact({
      output: outputOf(call),
      language: call.language,
      maxTokens: call.max_tokens === undefined || call.max_tokens === null ? DEFAULT_MAX_TOKENS : maxTokensOf(call.max_tokens),
      // Choosing the best needs them.
      logprobs: call.logprobs ?? (generated > perPrompt ? 0 : undefined),
      promptLogprobs: (call.echo && withLogprobs) || undefined,
      keepAlive: keepAliveOf(call.keep_alive),
    }),
  }
  return {
    requests: prompts.map((prompt, index) => Object.assign({ prompt, id: prompts.length > 1 ? `${id}-${index}` : id }, common)),
    perPrompt,
    choices: prompts.length * perPrompt,
    echo: call.echo ?? false,
    withLogprobs,
    ...streamOptionsOf(call),
    ignored: [...withoutEffect(call), ...ignoredFields(call, CompletionRequestSchema.shape)],
  }
}

/** Obfuscation has no field in this old reply. */
function withoutEffect({ user, stream_options: options }: CompletionRequest): string[] {
  return [...(user ? ['user'] : []), ...(options?.include_obfuscation ? ['stream_options.include_obfuscation'] : [])]
}

/** More than n are generated, and the best of them returned. 0 is the same as absent. */
function bestOf({ best_of: best, n, stream }: CompletionRequest): number | undefined {
  if (!best) return undefined
  if (best < (n ?? 1)) throw new AppError('invalid-field', { field: 'best_of', reason: 'it must be at least n' })
  if (stream && best > (n ?? 1)) {
    throw new AppError('invalid-field', { field: 'best_of', reason: 'the best is known at the end, so it cannot go with "stream"' })
  }
  return best
}

function promptsOf({ prompt, suffix }: CompletionRequest): Prompt[] {
  const prompts = plainPrompts(prompt)
  if (!suffix) return prompts
  return prompts.map((one) => {
    if (one.type === 'text') return { type: 'infill', prefix: one.text, suffix }
    throw new AppError('unsupported-field', { field: 'suffix', reason: 'it goes with prompts that are texts; send the tokens as text' })
  })
}

function plainPrompts(prompt: CompletionRequest['prompt']): Prompt[] {
  if (typeof prompt === 'string') return [{ type: 'text', text: prompt }]
  if (isTokenList(prompt)) return [{ type: 'tokens', tokens: prompt }]
  return prompt.map((item) => (typeof item === 'string' ? { type: 'text', text: item } : { type: 'tokens', tokens: item }))
}

function isTokenList(prompt: string[] | number[] | number[][]): prompt is number[] {
  return typeof prompt[0] === 'number'
}

export function completionFinishReason(reason: FinishReason): 'stop' | 'length' {
  return reason === 'length' ? 'length' : 'stop'
}

/** Of every prompt's choices the n with the highest mean log-probability a token, as OpenAI defines `best_of`; the best first. */
export function keepBest(answer: Answer, { requests, perPrompt }: Pick<CompletionCall, 'requests' | 'perPrompt'>): Answer {
  const generated = requests[0]?.choices ?? 1
  if (generated <= perPrompt) return answer
  const choices = requests.flatMap((_, prompt) =>
    answer.choices
      .slice(prompt * generated, (prompt + 1) * generated)
      .toSorted((one, other) => meanLogprob(other) - meanLogprob(one))
      .slice(0, perPrompt),
  )
  return { ...answer, choices }
}

/** A choice without tokens ended at once, which is certain. */
function meanLogprob({ textLogprobs }: AnswerChoice): number {
  return textLogprobs.reduce((sum, { logprob }) => sum + logprob, 0) / Math.max(1, textLogprobs.length)
}

/** `echoOf(i)` comes before choice i. */
export function completionReply(
  answer: Answer,
  head: ReplyHead,
  options: { withLogprobs: boolean; echoOf(choice: number): Echo | undefined },
): Completion {
  return {
    id: head.id,
    object: 'text_completion',
    created: head.created,
    model: head.model,
    system_fingerprint: head.fingerprint,
    choices: answer.choices.map((choice, index) => {
      const echo = options.echoOf(index)
      return {
        index,
        text: (echo?.text ?? '') + choice.text,
        logprobs: options.withLogprobs ? choiceLogprobs(choice, echo) : null,
        finish_reason: completionFinishReason(choice.reason),
      }
    }),
    usage: wireUsage(answer.usage),
    timings: wireTimings(answer.timings, answer.usage),
    ...(answer.notices.length > 0 ? { bendi: { notices: wireNotices(answer.notices) } } : {}),
  }
}

function choiceLogprobs({ textLogprobs }: AnswerChoice, echo: Echo | undefined): Completion['choices'][number]['logprobs'] {
  const own = legacyLogprobs(textLogprobs, characterCount(echo?.text ?? ''))
  return echo ? joinLogprobs(echoLogprobs(echo.tokens, echo.text), own) : own
}
