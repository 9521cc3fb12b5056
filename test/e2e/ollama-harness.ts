/** What the tests of Ollama's interface share: a script, and strict readers of bodies. */
import { expect } from 'vitest'
import type { z } from 'zod'
import type { GenerateEvent, GenerateRequest } from '../../src/shared/generate.ts'
import { answer } from '../fakes/scripted-engine.ts'

export function* script({ prompt, logprobs }: GenerateRequest): Generator<GenerateEvent | Promise<unknown>> {
  const last = prompt.type === 'messages' ? prompt.messages.at(-1)?.content : ''
  const calls = [
    { id: 'call_a', name: 'weather', arguments: '{"city":"Oslo"}' },
    { id: 'call_b', name: 'weather', arguments: '{"city":"上海"}' },
  ]
  if (last === 'break') {
    yield { type: 'text-delta', choice: 0, text: 'half' }
    yield { type: 'error', error: { code: 'engine-crashed', data: { model: 'm', reason: 'killed' }, message: '' } }
  } else if (last === 'wait') {
    yield { type: 'text-delta', choice: 0, text: 'one ' }
    yield new Promise(() => {})
  } else if (prompt.type === 'messages' && prompt.tools) yield* answer('I look.', { calls, reasoning: 'which one' })
  else if (last === 'long') yield* answer('and so on', { reason: 'length' })
  else yield* answer('Hello there you', { reasoning: 'let me think', logprobs })
}

export const HELLO = { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] }
export const TOOL = {
  type: 'function',
  function: { name: 'weather', description: 'Of today', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}

export const json = async <Schema extends z.ZodType>(schema: Schema, response: Response | Promise<Response>): Promise<z.output<Schema>> =>
  schema.parse(await (await response).json())
export const linesOf = async <Schema extends z.ZodType>(schema: Schema, response: Response): Promise<z.output<Schema>[]> => {
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  const text = await response.text()
  expect(text.endsWith('\n')).toBe(true)
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => schema.parse(JSON.parse(line)))
}
