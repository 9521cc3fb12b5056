/** The way back to Ollama's clients: replies, metrics and errors. Pure. */
import { errorEntry, isErrorCode, localizeError } from '../../shared/errors.ts'
import type { FinishReason, Timings, TokenLogprob, Usage, WireError } from '../../shared/generate.ts'
import type { Language } from '../../shared/language.ts'
import type {
  OllamaChatReply,
  OllamaError,
  OllamaGenerateReply,
  OllamaLogprob,
  OllamaMetrics,
  OllamaToolCall,
} from '../../shared/ollama/replies.ts'
import type { Answer, AnswerChoice } from '../collect-answer.ts'
import { finiteLogprob } from './openai-reply.ts'

/** What is constant in a reply, and what is measured around it. */
export interface OllamaHead {
  /** As it was asked for. */
  model: string
  showsThoughts: boolean
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds since the request came. */
  elapsed(): number
  /** Milliseconds that the model's start took; 0 when it was there. */
  loading(): number
  /** Tokens of the conversation, when the reply tells them. */
  context(): number[] | undefined
}

export function ollamaStart({ model, now }: OllamaHead): { model: string; created_at: string } {
  return { model, created_at: new Date(now()).toISOString() }
}

export function ollamaChatReply(answer: Answer, head: OllamaHead): OllamaChatReply {
  const choice = choiceOf(answer)
  const calls = choice.toolCalls.map(ollamaToolCall)
  const message: OllamaChatReply['message'] = {
    role: 'assistant',
    content: choice.text,
    ...thoughtOf(choice, head),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  }
  return { ...ollamaStart(head), message, ...endOf(answer, choice, head) }
}

export function ollamaGenerateReply(answer: Answer, head: OllamaHead): OllamaGenerateReply {
  const choice = choiceOf(answer)
  const context = head.context()
  return {
    ...ollamaStart(head),
    response: choice.text,
    ...thoughtOf(choice, head),
    ...endOf(answer, choice, head),
    ...(context ? { context } : {}),
  }
}

/** Nothing was asked: the model was only loaded or unloaded. */
export function ollamaLoadReply(
  head: OllamaHead,
  reason: 'load' | 'unload',
  shape: 'chat' | 'generate',
): OllamaChatReply | OllamaGenerateReply {
  const end = { done: true, done_reason: reason } as const
  return shape === 'chat'
    ? { ...ollamaStart(head), message: { role: 'assistant', content: '' }, ...end }
    : { ...ollamaStart(head), response: '', ...end }
}

function choiceOf({ choices: [choice] }: Answer): AnswerChoice {
  if (!choice) throw new Error('an answer without a choice')
  return choice
}

function thoughtOf({ reasoning }: AnswerChoice, { showsThoughts }: OllamaHead): { thinking?: string } {
  return showsThoughts && reasoning !== '' ? { thinking: reasoning } : {}
}

interface End extends OllamaMetrics {
  done: true
  done_reason: 'stop' | 'length'
  logprobs?: OllamaLogprob[]
}

function endOf({ usage, timings }: Answer, { reason, reasoningLogprobs, textLogprobs }: AnswerChoice, head: OllamaHead): End {
  const logprobs = [...(head.showsThoughts ? reasoningLogprobs : []), ...textLogprobs].map(ollamaLogprob)
  return {
    ...(logprobs.length > 0 ? { logprobs } : {}),
    done: true,
    done_reason: ollamaReason(reason),
    ...ollamaMetrics(usage, timings, head),
  }
}

/** A call of a tool ends an answer as its last word does. */
export function ollamaReason(reason: FinishReason): 'stop' | 'length' {
  return reason === 'length' ? 'length' : 'stop'
}

export function ollamaMetrics(usage: Usage, timings: Timings, head: OllamaHead): OllamaMetrics {
  const load = head.loading()
  return {
    total_duration: nanoseconds(Math.max(head.elapsed(), load + timings.queuedMs + timings.promptMs + timings.decodeMs)),
    load_duration: nanoseconds(load),
    prompt_eval_count: usage.promptTokens,
    prompt_eval_duration: nanoseconds(timings.promptMs),
    eval_count: usage.completionTokens,
    eval_duration: nanoseconds(timings.decodeMs),
  }
}

export function nanoseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1e6))
}

export function ollamaToolCall({ id, name, arguments: text }: AnswerChoice['toolCalls'][number], index: number): OllamaToolCall {
  return { id, function: { index, name, arguments: objectOf(text) } }
}

/** The parser of answers sees to it that it is one; without any argument it may be empty. */
function objectOf(text: string): Record<string, unknown> {
  const value: unknown = text.trim() === '' ? {} : JSON.parse(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : { value }
}

export function ollamaLogprob({ token, bytes, logprob, top }: TokenLogprob): OllamaLogprob {
  const alternatives = top.map((one) => ({ token: one.token, logprob: finiteLogprob(one.logprob), bytes: one.bytes }))
  return { token, logprob: finiteLogprob(logprob), bytes, ...(alternatives.length > 0 ? { top_logprobs: alternatives } : {}) }
}

export function ollamaError(error: WireError, language: Language): OllamaError {
  const { message, hint } = localizeError(error, language)
  const text = hint ? `${message} ${hint}` : message
  // Clients look for these words before they offer to pull.
  return { error: error.code === 'model-not-found' ? `model '${error.data['model'] ?? ''}' not found: ${text}` : text }
}

/** Ollama has few statuses; its clients know no others. */
export function ollamaStatus({ code }: WireError): number {
  const status = isErrorCode(code) ? errorEntry(code).status : 500
  if (status === 422 || code === 'checksum-mismatch') return 400
  return status === 502 || status === 507 ? 500 : status
}
