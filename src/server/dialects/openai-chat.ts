/** `POST /v1/chat/completions`: wire ↔ GenerateRequest and GenerateEvents. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Language } from '../../shared/language.ts'
import type { GenerateEvent, GenerateRequest, TokenLogprob, WireError } from '../../shared/generate.ts'
import { ChatRequestSchema, type ChatCompletion, type ChatRequest } from '../../shared/openai.ts'
import type { Answer, AnswerChoice } from '../collect-answer.ts'
import { messagesOf } from './openai-messages.ts'
import { JSON_OBJECT_GRAMMAR } from './json-grammar.ts'
import {
  openAiError,
  STREAM_END,
  waitingComment,
  wireLogprobs,
  wireTimings,
  wireUsage,
  type ReplyHead,
  type StreamEncoder,
} from './openai-reply.ts'
import {
  compact,
  ignoredFields,
  isShallow,
  keepAliveOf,
  maxTokensOf,
  parseBody,
  refuseFields,
  samplingOf,
  stopOf,
  type RefusedField,
} from './request-fields.ts'

export interface ChatCall {
  request: GenerateRequest
  stream: boolean
  includeUsage: boolean
  ignored: string[]
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

const REFUSED: Readonly<Record<string, RefusedField>> = {
  tools: { reason: 'this version calls no tools', harmless: isEmptyList },
  tool_choice: { reason: 'this version calls no tools', harmless: (value) => value === 'none' || value === 'auto' },
  functions: { reason: 'this version calls no tools', harmless: isEmptyList },
  function_call: { reason: 'this version calls no tools', harmless: (value) => value === 'none' || value === 'auto' },
  modalities: { reason: 'only text can be generated', harmless: (value) => Array.isArray(value) && value.every((item) => item === 'text') },
  audio: { reason: 'only text can be generated' },
  web_search_options: { reason: 'answers come from the model alone' },
  moderation: { reason: 'there is no moderation model here' },
  verbosity: { reason: 'say in a message how long the answer should be', harmless: (value) => value === 'medium' },
  store: { reason: 'answers are not stored', harmless: (value) => value === false },
}

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseChat(body: unknown, id: string): ChatCall {
  const chat = parseBody(ChatRequestSchema, body)
  refuseFields(chat, REFUSED)
  const variables = templateVariablesOf(chat)
  const { messages, continueLast } = messagesOf(chat)
  const sampling = { ...samplingOf(chat), ...grammarOf(chat) }
  const request: GenerateRequest = {
    id,
    model: chat.model,
    prompt: {
      type: 'messages',
      messages,
      ...(variables ? { templateVariables: variables } : {}),
      ...(continueLast ? { continueLast } : {}),
    },
    sampling,
    stop: stopOf(chat.stop),
    ignoreEos: chat.ignore_eos ?? false,
    choices: chat.n ?? 1,
    deterministic: chat.deterministic ?? false,
    reasoning: reasoningOf(chat, sampling.grammar !== undefined),
    ...compact({
      maxTokens: maxTokensOf(chat.max_completion_tokens ?? chat.max_tokens),
      logprobs: logprobsOf(chat),
      keepAlive: keepAliveOf(chat.keep_alive),
    }),
  }
  const ignored = ignoredFields(chat, ChatRequestSchema.shape).filter((field) => !Object.hasOwn(REFUSED, field))
  return { request, stream: chat.stream ?? false, includeUsage: chat.stream_options?.include_usage ?? false, ignored }
}

/** A grammar describes the whole answer: where the template opens a thought, all of it would count as one. */
function reasoningOf({ reasoning_format: format }: ChatRequest, hasGrammar: boolean): GenerateRequest['reasoning'] {
  if (format === 'none' || (hasGrammar && format !== 'deepseek')) return 'text'
  return 'split'
}

function logprobsOf(chat: ChatRequest): number | undefined {
  if (chat.logprobs) return chat.top_logprobs ?? 0
  if (chat.top_logprobs) throw new AppError('invalid-field', { field: 'top_logprobs', reason: 'it needs "logprobs": true' })
  return undefined
}

function grammarOf({ response_format: format, grammar }: ChatRequest): { grammar?: string } {
  if (!format || format.type === 'text') return {}
  if (format.type === 'json_schema') {
    throw new AppError('unsupported-field', {
      field: 'response_format.json_schema',
      reason: 'this version enforces json_object and "grammar" only',
    })
  }
  if (format.type !== 'json_object')
    throw new AppError('invalid-field', { field: 'response_format.type', reason: 'expected text or json_object' })
  if (grammar) throw new AppError('invalid-field', { field: 'response_format', reason: 'it cannot be used together with "grammar"' })
  return { grammar: JSON_OBJECT_GRAMMAR }
}

/** `reasoning_effort` goes to the template, under the names that models' templates read. */
function templateVariablesOf({ chat_template_kwargs: given, reasoning_effort: effort }: ChatRequest): Record<string, unknown> | undefined {
  if (given && !isShallow(given)) throw new AppError('invalid-field', { field: 'chat_template_kwargs', reason: 'it is nested too deeply' })
  if (!effort) return given ?? undefined
  return { reasoning_effort: effort, ...(effort === 'none' ? { enable_thinking: false, thinking: false } : {}), ...given }
}

const FINISH_REASONS = { stop: 'stop', length: 'length', 'tool-calls': 'tool_calls' } as const

/** The reply that is not streamed. */
export function chatCompletion(answer: Answer, head: ReplyHead, withLogprobs: boolean): ChatCompletion {
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    system_fingerprint: head.fingerprint,
    choices: answer.choices.map((choice, index) => ({
      index,
      message: messageOf(choice),
      logprobs: withLogprobs ? choiceLogprobs(choice) : null,
      finish_reason: FINISH_REASONS[choice.reason],
    })),
    usage: wireUsage(answer.usage),
    timings: wireTimings(answer.timings, answer.usage),
  }
}

type WireChoice = ChatCompletion['choices'][number]

function messageOf(choice: AnswerChoice): WireChoice['message'] {
  const calls = choice.toolCalls.map(({ id, name, arguments: text }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: text },
  }))
  return {
    role: 'assistant',
    content: calls.length > 0 && choice.text === '' ? null : choice.text,
    refusal: null,
    annotations: [],
    ...(choice.reasoning === '' ? {} : { reasoning_content: choice.reasoning }),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  }
}

function choiceLogprobs({
  textLogprobs,
  reasoningLogprobs,
}: Pick<AnswerChoice, 'textLogprobs' | 'reasoningLogprobs'>): WireChoice['logprobs'] {
  const reasoning = reasoningLogprobs.length > 0 ? { reasoning_content: wireLogprobs(reasoningLogprobs) } : {}
  return { content: wireLogprobs(textLogprobs), refusal: null, ...reasoning }
}

export interface ChatEncoderOptions {
  choices: number
  includeUsage: boolean
  language: Language
}

/**
 * The streamed reply. What is the same in every chunk is serialised once, since this runs for every token.
 * The chunk that ends the last choice is held until `finish`, which comes at once, so that the last chunk can carry the timings.
 */
export function createChatEncoder(head: ReplyHead, { choices, includeUsage, language }: ChatEncoderOptions): StreamEncoder<GenerateEvent> {
  const start = chunkStart(head)
  const usageNull = includeUsage ? ',"usage":null' : ''
  const begun = new Set<number>()
  let ended = 0
  let held = ''

  const frame = (choice: number, delta: string, logprobs = 'null', finish = 'null', tail = usageNull): string =>
    `${start}[{"index":${choice},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}]${tail}}\n\n`
  const begin = (choice: number): string => {
    if (begun.has(choice)) return ''
    begun.add(choice)
    return frame(choice, '{"role":"assistant","content":"","refusal":null}')
  }
  const endChoice = ({ choice, reason }: Extract<GenerateEvent, { type: 'choice-end' }>): string => {
    const last = ++ended === choices
    const finish = `"${FINISH_REASONS[reason]}"`
    if (!last) return begin(choice) + frame(choice, '{}', 'null', finish)
    const opening = begin(choice)
    held = frame(choice, '{}', 'null', finish, HELD_TAIL)
    return opening
  }
  const finish = ({ usage, timings }: Extract<GenerateEvent, { type: 'finish' }>): string => {
    const times = `,"timings":${JSON.stringify(wireTimings(timings, usage))}`
    if (!includeUsage) return held.replace(HELD_TAIL, () => times)
    return `${held.replace(HELD_TAIL, usageNull)}${start}[],"usage":${JSON.stringify(wireUsage(usage))}${times}}\n\n`
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
          return (
            begin(event.choice) + frame(event.choice, `{"content":${JSON.stringify(event.text)}}`, deltaLogprobs('content', event.logprobs))
          )
        case 'reasoning-delta': {
          const delta = `{"reasoning_content":${JSON.stringify(event.text)}}`
          return begin(event.choice) + frame(event.choice, delta, deltaLogprobs('reasoning_content', event.logprobs))
        }
        case 'tool-call-delta':
          return begin(event.choice) + frame(event.choice, toolCallDelta(event))
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

function chunkStart({ id, created, model, fingerprint }: ReplyHead): string {
  const constant = JSON.stringify({ id, object: 'chat.completion.chunk', created, model, system_fingerprint: fingerprint })
  return `data: ${constant.slice(0, -1)},"choices":`
}

function deltaLogprobs(field: 'content' | 'reasoning_content', logprobs: readonly TokenLogprob[] | undefined): string {
  if (!logprobs) return 'null'
  const list = wireLogprobs(logprobs)
  return JSON.stringify(field === 'content' ? { content: list, refusal: null } : { content: null, refusal: null, reasoning_content: list })
}

function toolCallDelta(event: Extract<GenerateEvent, { type: 'tool-call-delta' }>): string {
  const { call, id, name, arguments: text } = event
  const opening = id === undefined ? {} : { id, type: 'function' }
  return JSON.stringify({
    tool_calls: [{ index: call, ...opening, function: { ...(name === undefined ? {} : { name }), arguments: text } }],
  })
}
