/** The streamed completion; see the chat encoder for what is held and why. Pure, but for the noise that it is given. */
import type { Language } from '../../shared/language.ts'
import type { FinishReason, GenerateEvent, Notice, TokenLogprob, WireError } from '../../shared/generate.ts'
import { characterCount, echoLogprobs, legacyLogprobs, lengthOf } from './legacy-logprobs.ts'
import { completionFinishReason, type Echo } from './openai-completions.ts'
import {
  noticeComment,
  openAiError,
  STREAM_END,
  waitingComment,
  wireNotices,
  wireTimings,
  wireUsage,
  type ReplyHead,
  type StreamEncoder,
} from './openai-reply.ts'

export interface CompletionEncoderOptions {
  choices: number
  includeUsage: boolean
  /** Asked when a choice begins. */
  echoOf(choice: number): Echo | undefined
  language: Language
}

export function createCompletionEncoder(head: ReplyHead, options: CompletionEncoderOptions): StreamEncoder<GenerateEvent> {
  const { choices, includeUsage, echoOf, language } = options
  const start = chunkStart(head)
  const usageNull = includeUsage ? ',"usage":null' : ''
  const offsets = new Map<number, number>()
  const begun = new Set<number>()
  const notices: Notice[] = []
  let ended = 0
  let held: string | undefined

  const frame = (choice: number, text: string, logprobs = 'null', finish = 'null', tail = usageNull): string =>
    `${start}[{"index":${choice},"text":${text},"logprobs":${logprobs},"finish_reason":${finish}}]${tail}}\n\n`
  const begin = (choice: number): string => {
    const echo = begun.has(choice) ? undefined : echoOf(choice)
    begun.add(choice)
    if (!echo) return ''
    offsets.set(choice, characterCount(echo.text))
    const logprobs = echo.tokens.length > 0 ? JSON.stringify(echoLogprobs(echo.tokens, echo.text)) : 'null'
    return frame(choice, JSON.stringify(echo.text), logprobs)
  }
  const logprobsOf = (choice: number, logprobs: readonly TokenLogprob[] | undefined): string => {
    if (!logprobs) return 'null'
    const offset = offsets.get(choice) ?? 0
    offsets.set(choice, offset + logprobs.reduce((sum, one) => sum + lengthOf(one), 0))
    return JSON.stringify(legacyLogprobs(logprobs, offset))
  }
  const endChoice = (choice: number, reason: FinishReason): string => {
    const opening = begin(choice)
    const chunk = (tail: string): string => frame(choice, '""', 'null', `"${completionFinishReason(reason)}"`, tail)
    if (++ended < choices) return opening + chunk(usageNull)
    // Without a usage chunk this one is the last, and gets the timings.
    held = includeUsage ? undefined : chunk(HELD_TAIL)
    return includeUsage ? opening + chunk(usageNull) : opening
  }
  const finish = ({ usage, timings }: Extract<GenerateEvent, { type: 'finish' }>): string => {
    const extension = notices.length > 0 ? `,"bendi":${JSON.stringify({ notices: wireNotices(notices) })}` : ''
    const extras = `,"timings":${JSON.stringify(wireTimings(timings, usage))}${extension}`
    if (!includeUsage) return held?.replace(HELD_TAIL, () => extras) ?? ''
    return `${start}[],"usage":${JSON.stringify(wireUsage(usage))}${extras}}\n\n`
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
        case 'text-delta':
        case 'reasoning-delta': {
          const opening = begin(event.choice)
          return opening + frame(event.choice, JSON.stringify(event.text), logprobsOf(event.choice, event.logprobs))
        }
        case 'prompt-logprobs':
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
