/** A conversation as the command line sees it, the same from a server and from this process. */
import type { GenerateEvent, GenerateRequest, Message, Sampling, Timings, Usage } from '../shared/generate.ts'
import type { ChatChunk, ChatRequestInput, Waiting } from '../shared/openai.ts'

export interface ChatRequest {
  model: string
  messages: Message[]
  sampling: Pick<Sampling, 'temperature' | 'topP' | 'seed'>
  maxTokens?: number
}

export interface ChatStats {
  promptTokens: number
  cachedTokens: number
  completionTokens: number
  promptMs: number
  decodeMs: number
  decodeTokens: number
}

export type ChatEvent =
  | { type: 'waiting'; waiting: Waiting }
  | { type: 'reasoning'; text: string }
  | { type: 'text'; text: string }
  | { type: 'end'; reason: string; stats: ChatStats }

/** For this process's platform. */
export function toGenerateRequest(request: ChatRequest, id: string): GenerateRequest {
  return {
    id,
    model: request.model,
    prompt: { type: 'messages', messages: request.messages },
    sampling: request.sampling,
    ...(request.maxTokens === undefined ? {} : { maxTokens: request.maxTokens }),
    stop: [],
    ignoreEos: false,
    choices: 1,
    deterministic: false,
    reasoning: 'split',
  }
}

/** For a server, in OpenAI's names. */
export function toOpenAiRequest({ model, messages, sampling, maxTokens }: ChatRequest): ChatRequestInput {
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...(sampling.temperature === undefined ? {} : { temperature: sampling.temperature }),
    ...(sampling.topP === undefined ? {} : { top_p: sampling.topP }),
    ...(sampling.seed === undefined ? {} : { seed: sampling.seed }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  }
}

/** Events of the platform → events of the chat. Throws what `toError` makes of an `error` event. */
export async function* fromGenerateEvents(
  events: AsyncIterable<GenerateEvent>,
  toError: (error: Extract<GenerateEvent, { type: 'error' }>['error']) => Error,
): AsyncGenerator<ChatEvent, void, undefined> {
  let reason = 'stop'
  for await (const event of events) {
    if (event.type === 'error') throw toError(event.error)
    if (event.type === 'choice-end') reason = event.reason
    if (event.type === 'queued' || event.type === 'loading' || event.type === 'prefill') yield { type: 'waiting', waiting: event }
    if (event.type === 'reasoning-delta') yield { type: 'reasoning', text: event.text }
    if (event.type === 'text-delta') yield { type: 'text', text: event.text }
    if (event.type === 'finish') yield { type: 'end', reason, stats: statsOfEvent(event) }
  }
}

function statsOfEvent({ usage, timings }: { usage: Usage; timings: Timings }): ChatStats {
  const { promptTokens, cachedTokens, completionTokens } = usage
  const { promptMs, decodeMs, decodeTokens } = timings
  return { promptTokens, cachedTokens, completionTokens, promptMs, decodeMs, decodeTokens }
}

/** One chunk of a server's stream → events. `end` comes with the usage, in the last chunk. */
export function fromChunk(chunk: ChatChunk, lastReason: string): { events: ChatEvent[]; reason: string } {
  const events: ChatEvent[] = []
  let reason = lastReason
  for (const choice of chunk.choices) {
    if (choice.delta.reasoning_content) events.push({ type: 'reasoning', text: choice.delta.reasoning_content })
    if (choice.delta.content) events.push({ type: 'text', text: choice.delta.content })
    reason = choice.finish_reason ?? reason
  }
  if (chunk.usage) events.push({ type: 'end', reason, stats: statsOf(chunk) })
  return { events, reason }
}

function statsOf({ usage, timings }: ChatChunk): ChatStats {
  return {
    promptTokens: usage?.prompt_tokens ?? 0,
    cachedTokens: usage?.prompt_tokens_details.cached_tokens ?? 0,
    completionTokens: usage?.completion_tokens ?? 0,
    promptMs: timings?.prompt_ms ?? 0,
    decodeMs: timings?.predicted_ms ?? 0,
    decodeTokens: timings?.predicted_n ?? 0,
  }
}
