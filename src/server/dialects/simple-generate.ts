/**
 * `GET /stream-generate?prompt=&max_length=&temperature=&top_p=` and `POST /generate`: for small pages that use only a URL. Pure.
 * The stream's data is the plain text, ending in `[DONE]`; thoughts are events named `reasoning`, which `onmessage` does not see.
 */
import { formatSseEvent } from '../../base/sse.ts'
import { AppError, localizeError } from '../../shared/errors.ts'
import type { Language } from '../../shared/language.ts'
import type { GenerateEvent, GenerateRequest, WireError } from '../../shared/generate.ts'
import { SimpleRequestSchema, type SimpleReply } from '../../shared/simple.ts'
import type { Answer } from '../collect-answer.ts'
import { waitingComment, wireTimings, wireUsage, type StreamEncoder } from './openai-reply.ts'
import { compact, ignoredFields, parseBody } from './request-fields.ts'

export interface SimpleCall {
  request: GenerateRequest
  ignored: string[]
}

/** Throws `invalid-request`, `invalid-field`. */
export function parseSimple(body: unknown, id: string): SimpleCall {
  const call = parseBody(SimpleRequestSchema, body)
  const request: GenerateRequest = {
    id,
    model: call.model ?? 'default',
    prompt: { type: 'messages', messages: [{ role: 'user', content: call.prompt }] },
    sampling: compact({ temperature: call.temperature, topP: call.top_p }),
    stop: [],
    ignoreEos: false,
    choices: 1,
    deterministic: false,
    reasoning: 'split',
    ...compact({ maxTokens: call.max_length }),
  }
  return { request, ignored: ignoredFields(call, SimpleRequestSchema.shape) }
}

const NUMBERS = ['max_length', 'temperature', 'top_p'] as const

/** The same from a URL's query, where everything is text and an empty value means "not given". */
export function parseSimpleQuery(query: Readonly<Record<string, string>>, id: string): SimpleCall {
  const entries = Object.entries(query).filter(([name, value]) => name === 'prompt' || value !== '')
  const body = Object.fromEntries(entries.map(([name, value]) => [name, isNumber(name) ? numberOf(name, value) : value]))
  return parseSimple(body, id)
}

function isNumber(name: string): boolean {
  return NUMBERS.some((number) => number === name)
}

function numberOf(field: string, value: string): number {
  const number = Number(value)
  if (!Number.isFinite(number)) throw new AppError('invalid-field', { field, reason: 'expected a number' })
  return number
}

export function simpleReply({ choices: [choice], usage, timings }: Answer): SimpleReply {
  return {
    text: choice?.text ?? '',
    ...(choice?.reasoning ? { reasoning: choice.reasoning } : {}),
    finish_reason: choice?.reason === 'length' ? 'length' : 'stop',
    usage: wireUsage(usage),
    timings: wireTimings(timings, usage),
  }
}

/**
 * An EventSource connects again when a stream ends, and would ask for the same answer once more: every end is told by `[DONE]`, also after an
 * error, and carries an id, which the browser sends back as `Last-Event-ID`, so that the route can refuse.
 */
const END = formatSseEvent({ id: 'end', data: '[DONE]' })

export function createSimpleEncoder(language: Language): StreamEncoder<GenerateEvent> {
  const error = (cause: WireError): string =>
    formatSseEvent({ event: 'error', id: 'end', data: JSON.stringify({ code: cause.code, ...localizeError(cause, language) }) }) + END
  return {
    encode(event) {
      switch (event.type) {
        case 'queued':
        case 'loading':
        case 'prefill':
          return waitingComment(event)
        case 'text-delta':
          return formatSseEvent({ data: event.text })
        case 'reasoning-delta':
          return formatSseEvent({ event: 'reasoning', data: event.text })
        case 'tool-call-delta':
        case 'prompt-logprobs':
        case 'notice':
        case 'choice-end':
        case 'finish':
          return ''
        case 'error':
          return error(event.error)
      }
    },
    error,
    end: () => END,
  }
}
