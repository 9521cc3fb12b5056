import { describe, expect, it } from 'vitest'
import type { ChatItem } from '../../../src/shared/client.ts'
import { AppError } from '../../../src/shared/errors.ts'
import type { ChatChunk, ChatRequestInput } from '../../../src/shared/openai.ts'
import { runAnswer } from './answer.ts'
import type { AssistantMessage } from './chat.ts'
import { ChatStore } from './chat-store.ts'

function delta(part: { content?: string; reasoning_content?: string }, finish: 'stop' | 'length' | null = null): ChatItem {
  const chunk: ChatChunk = {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'm',
    system_fingerprint: 'f',
    choices: [{ index: 0, delta: part, logprobs: null, finish_reason: finish }],
  }
  return { type: 'chunk', chunk }
}

/** Runs an answer over these items; the clock goes on 100 ms with each look. */
async function run(
  items: (ChatItem | Error)[],
  signal: AbortSignal = new AbortController().signal,
): Promise<{ answer: AssistantMessage; request: ChatRequestInput | undefined }> {
  const store = new ChatStore()
  const chat = store.create({ system: 'Be brief.', temperature: 0 })
  const answer = store.ask(chat.id, 'Question?', 'm')
  if (!answer) throw new Error('no answer')
  let request: ChatRequestInput | undefined
  let time = 0
  const streamChat = async function* (input: ChatRequestInput): AsyncGenerator<ChatItem> {
    request = input
    for (const item of items) {
      if (item instanceof Error) throw item
      yield item
    }
  }
  const now = (): number => {
    time += 100
    return time
  }
  await runAnswer({ client: { streamChat }, store, chatId: chat.id, answer, signal, now, pause: () => Promise.resolve() })
  return { answer: store.message(answer.id) as AssistantMessage, request }
}

describe('runAnswer', () => {
  it('sends the system prompt, the question and the settings, without the empty answer', async () => {
    const { request } = await run([delta({ content: 'Yes' })])
    expect(request).toEqual({
      model: 'm',
      temperature: 0,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Question?' },
      ],
    })
  })

  it('gathers thoughts and words, and ends the thoughts', async () => {
    const { answer } = await run([delta({ reasoning_content: 'Hm' }), delta({ content: 'Ye' }), delta({ content: 's' })])
    expect(answer).toMatchObject({ state: 'done', thoughts: 'Hm', content: 'Yes' })
    expect(answer.thoughtMs).toBeGreaterThanOrEqual(0)
    expect(answer.stats?.firstTokenMs).toBeGreaterThan(0)
    expect(answer.waiting).toBeUndefined()
  })

  it('notes that the limit of tokens cut it off', async () => {
    expect((await run([delta({ content: 'Y' }, 'length')])).answer).toMatchObject({ state: 'done', cutOff: true })
  })

  it('keeps the words and the error when the stream breaks', async () => {
    const { answer } = await run([delta({ content: 'Half' }), new AppError('engine-crashed', { model: 'm', reason: 'killed' })])
    expect(answer).toMatchObject({
      state: 'failed',
      content: 'Half',
      error: { code: 'engine-crashed', data: { model: 'm', reason: 'killed' } },
    })
  })

  it('calls a broken connection by its name', async () => {
    const { answer } = await run([delta({ content: 'Half' }), new TypeError('network error')])
    expect(answer.error?.code).toBe('connection-lost')
  })

  it('is stopped, not failed, when the reader stopped it', async () => {
    const { answer } = await run([delta({ content: 'Half' }), new DOMException('aborted', 'AbortError')], AbortSignal.abort())
    expect(answer).toMatchObject({ state: 'stopped', content: 'Half' })
    expect(answer.error).toBeUndefined()
  })
})
