import { describe, expect, test } from 'vitest'
import { answer } from '../../../test/fakes/scripted-engine.ts'
import { createScriptedServer } from '../../../test/fakes/scripted-server.ts'

const MESSAGES = [{ role: 'user', content: 'Hi' }]
const NOTICE = { type: 'notice', notice: { code: 'truncated', droppedMessages: 4, droppedTokens: 900 } } as const

describe.each([
  ['/v1/chat/completions', { model: 'scripted', messages: MESSAGES }],
  ['/v1/messages', { model: 'scripted', messages: MESSAGES, max_tokens: 9 }],
  ['/v1/responses', { model: 'scripted', input: 'Hi' }],
])('at %s the header x-bendi-truncation', (path, body) => {
  test.each([false, true])('lets the oldest turns go, and the reply tells how much (stream: %s)', async (stream) => {
    const { post, engine } = createScriptedServer({ script: () => [NOTICE, ...answer('x')] })
    const reply = await post(path, { ...body, stream }, { 'x-bendi-truncation': 'auto' })
    expect(reply.status).toBe(200)
    expect(engine.requests[0]?.truncation).toBe('auto')
    expect(reply.headers.get('x-bendi-truncated')).toBe('messages=4; tokens=900')
    expect(await reply.text()).toContain('x')
  })

  test('is refused by name when it says something else', async () => {
    const { post } = createScriptedServer()
    const reply = await post(path, body, { 'x-bendi-truncation': 'middle' })
    expect(reply.status).toBe(400)
    expect(await reply.text()).toContain('x-bendi-truncation')
  })
})

test('what the body of a response says wins over the header, and the reply says what was done', async () => {
  const { post, engine } = createScriptedServer()
  const body = { model: 'scripted', input: 'Hi' }
  const replies = [
    await post('/v1/responses', { ...body, truncation: 'disabled' }, { 'x-bendi-truncation': 'auto' }),
    await post('/v1/responses', { ...body, truncation: null }, { 'x-bendi-truncation': 'auto' }),
  ]
  const told = await Promise.all(replies.map(async (reply) => ((await reply.json()) as { truncation: string }).truncation))
  expect(told).toEqual(['disabled', 'auto'])
  expect(engine.requests.map(({ truncation }) => truncation)).toEqual(['disabled', 'auto'])
})
