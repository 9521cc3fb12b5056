import { expect, test } from 'vitest'
import { answer, finish } from '../../../test/fakes/scripted-engine.ts'
import { createScriptedServer, readChunks } from '../../../test/fakes/scripted-server.ts'
import { deferred } from '../../base/async.ts'
import { OpenAiErrorSchema } from '../../shared/openai.ts'
import { RerankReplySchema } from '../../shared/openai/rerank.ts'
import {
  ApplyTemplateReplySchema,
  CloseThoughtReplySchema,
  DetokenizeReplySchema,
  InfillReplySchema,
  TokenizeReplySchema,
} from '../../shared/openai/tokens.ts'

test('a text becomes tokens, with their pieces on request, and tokens become the text again', async () => {
  const { post } = createScriptedServer()
  const plain = TokenizeReplySchema.parse(await (await post('/tokenize', { content: 'Hé', add_special: true })).json())
  expect(plain.tokens).toEqual([...Buffer.from('Hé')])
  const pieces = TokenizeReplySchema.parse(await (await post('/tokenize', { content: 'Hi', with_pieces: true, model: 'scripted' })).json())
  expect(pieces.tokens).toEqual([
    { id: 72, piece: 'H' },
    { id: 105, piece: 'i' },
  ])
  const back = await post('/detokenize', { tokens: plain.tokens })
  expect(DetokenizeReplySchema.parse(await back.json()).content).toBe('Hé')
  const many = await post('/tokenize', { content: 'x'.repeat(10_000), with_pieces: true })
  expect(OpenAiErrorSchema.parse(await many.json()).error.param).toBe('with_pieces')
})

test('a conversation is shown as the model reads it', async () => {
  const { post } = createScriptedServer()
  const messages = [
    { role: 'system', content: 'S' },
    { role: 'user', content: 'U' },
  ]
  expect(ApplyTemplateReplySchema.parse(await (await post('/apply-template', { messages })).json()).prompt).toBe('system: S\nuser: U')
  expect((await post('/apply-template', { messages: [] })).status).toBe(400)
  expect((await post('/apply-template', { messages, model: 'nothing' })).status).toBe(404)
})

test('documents are ranked, the best first, under every name of the route', async () => {
  const { post } = createScriptedServer()
  const body = { model: 'default', query: 'red apple', documents: ['a pear', 'red apple', { text: 'an apple' }] }
  for (const path of ['/v1/rerank', '/rerank', '/v2/rerank', '/v1/reranking']) {
    const reply = RerankReplySchema.parse(await (await post(path, { ...body, top_n: 2, return_documents: true })).json())
    expect(reply.model).toBe('scripted')
    expect(reply.results).toEqual([
      { index: 1, relevance_score: 1, document: { text: 'red apple' } },
      { index: 2, relevance_score: 0.5, document: { text: 'an apple' } },
    ])
  }
  expect(RerankReplySchema.parse(await (await post('/v1/rerank', body)).json()).results).toHaveLength(3)
})

test('a hole is filled, streamed or not', async () => {
  const { post, engine } = createScriptedServer({
    script: () => [
      { type: 'text-delta', choice: 0, text: 'mid' },
      { type: 'choice-end', choice: 0, reason: 'stop', stopSequence: ';' },
      finish({ completionTokens: 1 }),
    ],
  })
  const body = {
    input_prefix: 'a',
    input_suffix: 'b',
    prompt: 'c',
    input_extra: [{ filename: 'x.ts', text: 'X' }],
    n_predict: 5,
    stop: [';'],
  }
  const whole = InfillReplySchema.parse(await (await post('/infill', body)).json())
  expect(engine.requests[0]).toMatchObject({ prompt: { type: 'infill', prefix: 'x.ts\nX\n\nac', suffix: 'b' }, maxTokens: 5, stop: [';'] })
  const ending = { stop: true, stop_type: 'word', stopping_word: ';', tokens_predicted: 1, model: 'scripted' }
  expect(whole).toMatchObject({ content: 'mid', ...ending })
  const events = (await readChunks(await post('/infill', { ...body, stream: true }))).map((event) => InfillReplySchema.parse(event))
  expect(events).toMatchObject([
    { content: 'mid', stop: false },
    { content: '', ...ending },
  ])
})

test('a running request is told to stop thinking, by the API and for the page; others are left alone', async () => {
  const gate = deferred<void>()
  const { post, engine } = createScriptedServer({
    script: () => [{ type: 'reasoning-delta', choice: 0, text: 'hm' }, gate.promise, ...answer('yes')],
  })
  const response = await post('/v1/chat/completions', { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }], stream: true })
  const id = engine.requests[0]?.id ?? ''
  expect(id).toMatch(/^chatcmpl-/)
  const closed = CloseThoughtReplySchema.parse(await (await post(`/v1/requests/${id}/close-thought`, '')).json())
  expect(closed).toEqual({ id, object: 'request.close_thought', closed: true })
  expect(await (await post(`/api/requests/${id}/close-thought`, '')).json()).toEqual({ closed: true })
  expect(engine.closedThoughts).toEqual([id, id])
  gate.resolve()
  await response.text()
  expect(await (await post(`/api/requests/${id}/close-thought`, '')).json()).toEqual({ closed: false })
})
