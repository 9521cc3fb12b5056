import { describe, expect, test } from 'vitest'
import { answer } from '../../../test/fakes/scripted-engine.ts'
import { createScriptedServer, readMessages } from '../../../test/fakes/scripted-server.ts'
import { SimpleReplySchema } from '../../shared/simple.ts'

describe('GET /stream-generate', () => {
  test('is the plain text as events, ending in [DONE]', async () => {
    const { get, engine } = createScriptedServer({ script: () => answer('Hello\nthere you', { reasoning: 'hm' }) })
    const response = await get('/stream-generate?prompt=Hi%20there&max_length=20&temperature=0.5&top_p=0.9')
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const messages = await readMessages(response)
    const text = messages.filter(({ event }) => event === undefined).map(({ data }) => data)
    expect(text.pop()).toBe('[DONE]')
    expect(text.join('')).toBe('Hello\nthere you')
    expect(messages.filter(({ event }) => event === 'reasoning').map(({ data }) => data)).toEqual(['hm'])
    expect(engine.requests[0]).toMatchObject({
      model: 'default',
      prompt: { type: 'messages', messages: [{ role: 'user', content: 'Hi there' }] },
      maxTokens: 20,
      sampling: { temperature: 0.5, topP: 0.9 },
    })
  })

  test('an EventSource that connects again after the end is told to stop', async () => {
    const { get, engine } = createScriptedServer()
    expect(await (await get('/stream-generate?prompt=Hi')).text()).toContain('id: end\ndata: [DONE]')
    const again = await get('/stream-generate?prompt=Hi', { 'last-event-id': 'end' })
    expect(again.status).toBe(204)
    expect(engine.requests).toHaveLength(1)
  })

  test('an error in mid-stream is an event, and the stream ends in [DONE] so that the page hangs up', async () => {
    const { get } = createScriptedServer({
      script: () => [
        { type: 'text-delta', choice: 0, text: 'Hel' },
        { type: 'error', error: { code: 'shutting-down', data: {}, message: '' } },
      ],
    })
    const messages = await readMessages(await get('/stream-generate?prompt=Hi'))
    expect(messages.at(-1)?.data).toBe('[DONE]')
    expect(messages.at(-2)).toMatchObject({ event: 'error', data: expect.stringContaining('shutting-down') })
  })

  test.each(['', '?prompt=', '?prompt=a&temperature=hot', '?prompt=a&max_length=1.5', '?prompt=a&top_p=7'])(
    '"%s" is refused',
    async (query) => {
      const { get } = createScriptedServer()
      expect((await get(`/stream-generate${query}`)).status).toBe(400)
    },
  )
})

test('POST /generate answers with the text', async () => {
  const { post } = createScriptedServer({ script: () => answer('Hello', { reasoning: 'hm', reason: 'length' }) })
  const body = SimpleReplySchema.parse(await (await post('/generate', { prompt: 'Hi' })).json())
  expect(body).toMatchObject({ text: 'Hello', reasoning: 'hm', finish_reason: 'length' })
})
