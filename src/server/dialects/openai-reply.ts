/** What the OpenAI dialects share on the way out: usage, timings, errors, logprobs, and the frames of a stream. Pure. */
import { formatSseComment } from '../../base/sse.ts'
import { errorEntry, isErrorCode, localizeError } from '../../shared/errors.ts'
import type { Language } from '../../shared/language.ts'
import type { GenerateEvent, Notice, Timings, TokenLogprob, Usage, WireError } from '../../shared/generate.ts'
import { formatWaiting, type OpenAiError, type Waiting, type WireNotice, type WireTimings, type WireUsage } from '../../shared/openai.ts'

/** Server-Sent Events, or a JSON value a line. */
export type StreamFraming = 'sse' | 'ndjson'

/** The constant part of a reply. */
export interface ReplyHead {
  id: string
  /** Seconds since 1970. */
  created: number
  model: string
  fingerprint: string
}

/** Turns the events of one answer into the text of a stream; `end` comes after `finish`, not after `error`. */
export interface StreamEncoder<Event> {
  /** How the text is framed; absent is `sse`. */
  framing?: StreamFraming
  encode(event: Event): string
  error(error: WireError): string
  end(): string
}

export const STREAM_END = 'data: [DONE]\n\n'

export function wireUsage(usage: Usage): WireUsage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { audio_tokens: 0, cached_tokens: usage.cachedTokens },
    completion_tokens_details: {
      accepted_prediction_tokens: 0,
      audio_tokens: 0,
      reasoning_tokens: usage.reasoningTokens,
      rejected_prediction_tokens: 0,
    },
  }
}

export function wireTimings(timings: Timings, usage: Usage): WireTimings {
  return {
    queued_ms: round(timings.queuedMs),
    cache_n: usage.cachedTokens,
    prompt_n: timings.promptTokens,
    prompt_ms: round(timings.promptMs),
    prompt_per_token_ms: ratio(timings.promptMs, timings.promptTokens),
    prompt_per_second: ratio(timings.promptTokens * 1000, timings.promptMs),
    predicted_n: timings.decodeTokens,
    predicted_ms: round(timings.decodeMs),
    predicted_per_token_ms: ratio(timings.decodeMs, timings.decodeTokens),
    predicted_per_second: ratio(timings.decodeTokens * 1000, timings.decodeMs),
    draft_n: timings.draftedTokens,
    draft_n_accepted: timings.acceptedTokens,
  }
}

/** Two zeros make no rate: 0 rather than a NaN, which JSON cannot say. */
function ratio(value: number, by: number): number {
  return by > 0 ? round(value / by) : 0
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** Codes that OpenAI's own clients and libraries look for; the others are ours with underscores. */
const OPENAI_CODES: Readonly<Record<string, string>> = { 'prompt-too-long': 'context_length_exceeded' }
/** OpenAI has fewer types than our table: what does not exist is an invalid request there, and an overload the server's error. */
const OPENAI_TYPES: Readonly<Record<string, string>> = { not_found_error: 'invalid_request_error', overloaded_error: 'server_error' }
const PARAMS: Readonly<Record<string, string>> = {
  'model-not-found': 'model',
  'not-an-embedding-model': 'model',
  'cannot-rerank': 'model',
  'invalid-grammar': 'grammar',
  'infill-unsupported': 'suffix',
  'empty-prompt': 'prompt',
}

export function openAiError(error: WireError, language: Language): OpenAiError {
  const { message, hint } = localizeError(error, language)
  const field = error.data['field']
  const type = isErrorCode(error.code) ? errorEntry(error.code).type : 'server_error'
  return {
    error: {
      message: hint ? `${message} ${hint}` : message,
      type: OPENAI_TYPES[type] ?? type,
      param: typeof field === 'string' ? field : (PARAMS[error.code] ?? null),
      code: OPENAI_CODES[error.code] ?? error.code.replaceAll('-', '_'),
      bendi: { code: error.code, data: error.data },
    },
  }
}

export function isWaiting(event: GenerateEvent): event is Waiting {
  return event.type === 'queued' || event.type === 'loading' || event.type === 'prefill'
}

export function waitingComment(event: Waiting): string {
  return formatSseComment(formatWaiting(event))
}

export function wireNotices(notices: readonly Notice[]): WireNotice[] {
  return notices.map(wireNotice)
}

function wireNotice(notice: Notice): WireNotice {
  switch (notice.code) {
    case 'truncated':
      return { code: 'truncated', dropped_messages: notice.droppedMessages, dropped_tokens: notice.droppedTokens }
    case 'repaired-arguments':
      return { code: 'repaired_arguments', choice: notice.choice, call: notice.call }
    case 'thought-closed':
      return { code: 'thought_closed', choice: notice.choice, why: notice.why }
  }
}

/** `truncated {"dropped_messages":3,…}`: told at once, beside the list in the last chunk. */
export function noticeComment(notice: Notice): string {
  const { code, ...data } = wireNotice(notice)
  return formatSseComment(`${code} ${JSON.stringify(data)}`)
}

/** The value of `x-bendi-truncated`; undefined when nothing was dropped. */
export function truncatedHeader(notices: readonly Notice[]): string | undefined {
  const notice = notices.find(({ code }) => code === 'truncated')
  return notice?.code === 'truncated' ? `messages=${notice.droppedMessages}; tokens=${notice.droppedTokens}` : undefined
}

interface WireTokenLogprob {
  token: string
  logprob: number
  bytes: number[]
  top_logprobs: { token: string; logprob: number; bytes: number[] }[]
}

/** The lowest value that a probability of 0 can be said with: JSON has no −Infinity (OpenAI uses −9999 as well). */
const LEAST_LOGPROB = -9999

export function finiteLogprob(logprob: number): number {
  return Number.isFinite(logprob) ? logprob : LEAST_LOGPROB
}

export function wireLogprobs(logprobs: readonly TokenLogprob[]): WireTokenLogprob[] {
  return logprobs.map(({ token, logprob, bytes, top }) => ({
    token,
    logprob: finiteLogprob(logprob),
    bytes,
    top_logprobs: top.map((other) => ({ token: other.token, logprob: finiteLogprob(other.logprob), bytes: other.bytes })),
  }))
}
