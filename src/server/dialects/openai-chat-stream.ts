/** The streamed chat reply. Pure, but for the noise that it is given. */
import type { Language } from '../../shared/language.ts'
import type { GenerateEvent, Notice, TokenLogprob, WireError } from '../../shared/generate.ts'
import { chatFinishReason, reasoningFields, THOUGHT_CLOSE, THOUGHT_OPEN } from './openai-chat-reply.ts'
import type { ChatShape } from './openai-chat.ts'
import {
  noticeComment,
  openAiError,
  STREAM_END,
  waitingComment,
  wireLogprobs,
  wireNotices,
  wireTimings,
  wireUsage,
  type ReplyHead,
  type StreamEncoder,
} from './openai-reply.ts'

export interface ChatEncoderOptions {
  choices: number
  includeUsage: boolean
  shape: ChatShape
  language: Language
  /** That many characters of noise, to hide the lengths of what is written; absent: nothing is hidden. */
  noise?: (length: number) => string
}

/**
 * What is the same in every chunk is serialised once, since this runs for every token.
 * The chunk that ends the last choice is held until `finish`, which comes at once, so that the last chunk can carry the timings.
 */
export function createChatEncoder(head: ReplyHead, options: ChatEncoderOptions): StreamEncoder<GenerateEvent> {
  const { choices, includeUsage, shape, language, noise } = options
  const start = chunkStart(head, shape)
  const usageNull = includeUsage ? ',"usage":null' : ''
  const begun = new Set<number>()
  const thinking = new Set<number>()
  const notices: Notice[] = []
  let ended = 0
  let held = ''

  const frame = (choice: number, delta: string, logprobs = 'null', finish = 'null', tail = usageNull): string => {
    const chunk = `${start}[{"index":${choice},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}]${tail}`
    return `${chunk}${noise ? `,"obfuscation":"${noise(paddingOf(chunk))}"` : ''}}\n\n`
  }
  const begin = (choice: number): string => {
    if (begun.has(choice)) return ''
    begun.add(choice)
    return frame(choice, '{"role":"assistant","content":"","refusal":null}')
  }
  const textFrame = (choice: number, text: string, logprobs?: readonly TokenLogprob[]): string =>
    begin(choice) + frame(choice, `{"content":${JSON.stringify(text)}}`, deltaLogprobs('content', logprobs))
  const closeThought = (choice: number): string => (thinking.delete(choice) ? textFrame(choice, THOUGHT_CLOSE) : '')
  const reasoningFrame = ({ choice, text, logprobs }: Extract<GenerateEvent, { type: 'reasoning-delta' }>): string => {
    if (shape.reasoning === 'hidden') return begin(choice)
    if (shape.reasoning !== 'think') {
      const delta = JSON.stringify(reasoningFields(text, shape.reasoning))
      return begin(choice) + frame(choice, delta, deltaLogprobs('reasoning_content', logprobs))
    }
    const opening = thinking.has(choice) ? '' : THOUGHT_OPEN
    thinking.add(choice)
    return textFrame(choice, opening + text, logprobs)
  }
  const endChoice = ({ choice, reason }: Extract<GenerateEvent, { type: 'choice-end' }>): string => {
    const last = ++ended === choices
    const opening = closeThought(choice) + begin(choice)
    const finish = `"${chatFinishReason(reason, shape.legacyFunctions)}"`
    if (!last) return opening + frame(choice, '{}', 'null', finish)
    held = frame(choice, '{}', 'null', finish, HELD_TAIL)
    return opening
  }
  const finish = ({ usage, timings }: Extract<GenerateEvent, { type: 'finish' }>): string => {
    const extension = notices.length > 0 ? `,"bendi":${JSON.stringify({ notices: wireNotices(notices) })}` : ''
    const extras = `,"timings":${JSON.stringify(wireTimings(timings, usage))}${extension}`
    if (!includeUsage) return held.replace(HELD_TAIL, () => extras)
    return `${held.replace(HELD_TAIL, usageNull)}${start}[],"usage":${JSON.stringify(wireUsage(usage))}${extras}}\n\n`
  }
  const error = (cause: WireError): string => `data: ${JSON.stringify(openAiError(cause, language))}\n\n`
  return {
    encode(event) {
      switch (event.type) {
        case 'queued':
        case 'loading':
        case 'prefill':
          return waitingComment(event)
        case 'notice':
          notices.push(event.notice)
          return noticeComment(event.notice)
        case 'prompt-logprobs':
          return ''
        case 'text-delta':
          return closeThought(event.choice) + textFrame(event.choice, event.text, event.logprobs)
        case 'reasoning-delta':
          return reasoningFrame(event)
        case 'tool-call-delta':
          return closeThought(event.choice) + begin(event.choice) + callFrame(event, shape.legacyFunctions, frame)
        case 'choice-end':
          return endChoice(event)
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

/** Chunks become multiples of this many characters. */
const PADDED_TO = 64

function paddingOf(chunk: string): number {
  return PADDED_TO - (chunk.length % PADDED_TO)
}

function chunkStart({ id, created, model, fingerprint }: ReplyHead, { serviceTier }: ChatShape): string {
  const tier = serviceTier ? { service_tier: serviceTier } : {}
  const constant = JSON.stringify({ id, object: 'chat.completion.chunk', created, model, system_fingerprint: fingerprint, ...tier })
  return `data: ${constant.slice(0, -1)},"choices":`
}

function deltaLogprobs(field: 'content' | 'reasoning_content', logprobs: readonly TokenLogprob[] | undefined): string {
  if (!logprobs) return 'null'
  const list = wireLogprobs(logprobs)
  return JSON.stringify(field === 'content' ? { content: list, refusal: null } : { content: null, refusal: null, reasoning_content: list })
}

type CallDelta = Extract<GenerateEvent, { type: 'tool-call-delta' }>

function callFrame(event: CallDelta, legacy: boolean, frame: (choice: number, delta: string) => string): string {
  // The old way has room for one call.
  if (legacy && event.call > 0) return ''
  return frame(event.choice, JSON.stringify(legacy ? functionCallDelta(event) : toolCallDelta(event)))
}

function toolCallDelta({ call, id, name, arguments: text }: CallDelta): object {
  const opening = id === undefined ? {} : { id, type: 'function' }
  return { tool_calls: [{ index: call, ...opening, function: { ...(name === undefined ? {} : { name }), arguments: text } }] }
}

function functionCallDelta({ name, arguments: text }: CallDelta): object {
  return { function_call: { ...(name === undefined ? {} : { name }), arguments: text } }
}
