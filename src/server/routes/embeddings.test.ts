import { expect, test } from 'vitest'
import { scriptedModel } from '../../../test/fakes/scripted-platform.ts'
import { createScriptedServer } from '../../../test/fakes/scripted-server.ts'
import { EmbeddingListSchema, OpenAiErrorSchema } from '../../shared/openai.ts'

test.each([['one text'], [['two', 'texts']], [[1, 2, 3]], [[[1], [2, 3]]]])('%j gets a vector an input', async (input) => {
  const { post } = createScriptedServer()
  const body = EmbeddingListSchema.parse(await (await post('/v1/embeddings', { model: 'scripted', input })).json())
  const expected = typeof input === 'string' || typeof input[0] === 'number' ? 1 : input.length
  expect(body.data.map(({ index }) => index)).toEqual(Array.from({ length: expected }, (_, index) => index))
})

test('the reply names the model that "default" was', async () => {
  const { post } = createScriptedServer()
  const body = EmbeddingListSchema.parse(await (await post('/v1/embeddings', { model: 'default', input: 'a' })).json())
  expect(body.model).toBe('scripted')
})

test('dimensions other than the model’s are refused by name', async () => {
  const { post } = createScriptedServer()
  expect((await post('/v1/embeddings', { model: 'scripted', input: 'a', dimensions: 8 })).status).toBe(200)
  const response = await post('/v1/embeddings', { model: 'scripted', input: 'a', dimensions: 4 })
  expect(OpenAiErrorSchema.parse(await response.json()).error).toMatchObject({ param: 'dimensions', code: 'unsupported_field' })
})

test('a model that was trained for it gives shorter vectors, of length 1 again', async () => {
  const name = 'hf:nomic-ai/nomic-embed-text-v1.5-GGUF'
  const { post } = createScriptedServer({ scripted: { models: [scriptedModel(name)], deployed: [name] } })
  const body = EmbeddingListSchema.parse(await (await post('/v1/embeddings', { model: name, input: 'abcdefgh', dimensions: 4 })).json())
  const vector = body.data[0]?.embedding
  if (!Array.isArray(vector)) throw new Error('expected numbers')
  expect(vector).toHaveLength(4)
  expect(Math.hypot(...vector)).toBeCloseTo(1, 6)
  const longer = await post('/v1/embeddings', { model: name, input: 'a', dimensions: 9 })
  expect(OpenAiErrorSchema.parse(await longer.json()).error.param).toBe('dimensions')
})
