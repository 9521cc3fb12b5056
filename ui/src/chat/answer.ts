/** Runs one answer: sends the conversation, and writes what comes into the chat store until it ends. */
import type { Client } from '../../../src/shared/client.ts'
import type { ChatChunk, ChatRequestInput } from '../../../src/shared/openai.ts'
import { errorData, isConnectionError } from '../api/client.ts'
import type { AnswerStats, AssistantMessage, Chat, Message } from './chat.ts'
import type { ChatStore } from './chat-store.ts'
import { createDeltaBuffer, type Delta } from './delta-buffer.ts'
import { createRenderPace } from './render-pace.ts'

export interface AnswerOptions {
  client: Pick<Client, 'streamChat'>
  store: ChatStore
  chatId: string
  /** An empty answer that is in the store already. */
  answer: AssistantMessage
  signal: AbortSignal
  now?: () => number
  pause?: (delayMs: number) => Promise<void>
}

/**
 * A page that is being left breaks its own connections. It is gone within this time, and the answer stays kept as one that
 * was cut off, rather than as one that failed.
 */
const LEAVING_MS = 250

/** Never throws: an error becomes the answer's state. */
export async function runAnswer({ client, store, chatId, answer, signal, now = Date.now, pause = sleep }: AnswerOptions): Promise<void> {
  const chat = store.chat(chatId)
  if (!chat) return
  const startedAt = now()
  const update = (change: (answer: AssistantMessage) => AssistantMessage): void => store.updateAnswer(chatId, answer.id, change)
  const pace = createRenderPace()
  const buffer = createDeltaBuffer({
    flushMs: pace.delayMs,
    apply: (delta) => pace.measure(() => update((current) => addDelta(current, delta, startedAt, now()))),
  })
  const request = chatRequest(chat, store.messages(chatId), answer)
  let begun = false
  try {
    for await (const item of client.streamChat(request, signal)) {
      if (item.type === 'waiting') update((current) => ({ ...current, waiting: item.waiting }))
      else {
        if (!begun) update((current) => ({ ...current, requestId: item.chunk.id }))
        begun = true
        buffer.push(deltaOf(item.chunk))
        const end = endOf(item.chunk)
        if (end) buffer.flush()
        if (end) update((current) => ({ ...current, ...end, stats: { ...current.stats, ...end.stats } }))
      }
    }
    buffer.flush()
    update((current) => settle(current, { state: 'done' }, now()))
  } catch (error) {
    buffer.flush()
    if (!signal.aborted && isConnectionError(error)) await pause(LEAVING_MS)
    const end: Partial<AssistantMessage> = signal.aborted ? { state: 'stopped' } : { state: 'failed', error: errorData(error) }
    update((current) => settle(current, end, now()))
  }
}

/** The conversation up to this answer, as the server wants it. Answers without a word are left out. */
export function chatRequest(chat: Chat, messages: readonly Message[], answer: AssistantMessage): ChatRequestInput {
  const { system, temperature, maxTokens } = chat.settings
  const before = messages.slice(
    0,
    Math.max(
      0,
      messages.findIndex(({ id }) => id === answer.id),
    ),
  )
  const said = before.filter(({ content }) => content !== '').map(({ role, content }) => ({ role, content }))
  return {
    model: answer.model,
    messages: system.trim() ? [{ role: 'system', content: system }, ...said] : said,
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  }
}

/** Also notes when the first text came, when thinking began, and when it ended. */
export function addDelta(answer: AssistantMessage, delta: Delta, startedAt: number, now: number): AssistantMessage {
  const { waiting: _, ...rest } = answer
  const next: AssistantMessage = {
    ...rest,
    state: 'streaming',
    content: answer.content + delta.text,
    thoughts: answer.thoughts + delta.thoughts,
    stats: { firstTokenMs: now - startedAt, ...answer.stats },
  }
  if (delta.thoughts && next.thinkingSince === undefined) next.thinkingSince = now
  return delta.text ? endThoughts(next, now) : next
}

function endThoughts(answer: AssistantMessage, now: number): AssistantMessage {
  const { requestId: _, ...rest } = answer
  if (answer.thinkingSince === undefined || answer.thoughtMs !== undefined) return rest
  return { ...rest, thoughtMs: now - answer.thinkingSince }
}

function settle(answer: AssistantMessage, end: Partial<AssistantMessage>, now: number): AssistantMessage {
  const { waiting: _, ...rest } = endThoughts(answer, now)
  return { ...rest, ...end }
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs)
  })
}

function deltaOf({ choices }: ChatChunk): Partial<Delta> {
  const delta = choices[0]?.delta
  return { text: delta?.content ?? '', thoughts: delta?.reasoning_content ?? '' }
}

/** What the last chunks tell: the reason of the end, and the numbers. */
function endOf({ choices, usage, timings }: ChatChunk): { cutOff?: true; stats?: AnswerStats } | undefined {
  const cutOff = choices[0]?.finish_reason === 'length'
  if (!cutOff && !usage && !timings) return undefined
  const stats: AnswerStats = {
    ...(timings
      ? { tokensPerSecond: timings.predicted_per_second, cachedTokens: timings.cache_n, completionTokens: timings.predicted_n }
      : {}),
    ...(timings ? { promptTokens: timings.prompt_n + timings.cache_n } : {}),
    ...(usage
      ? {
          promptTokens: usage.prompt_tokens,
          completionTokens: usage.completion_tokens,
          cachedTokens: usage.prompt_tokens_details.cached_tokens,
        }
      : {}),
  }
  return { stats, ...(cutOff ? { cutOff: true as const } : {}) }
}
