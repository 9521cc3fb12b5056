import { expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { parseResponse } from './openai-responses.ts'

const OPTIONS = { id: 'resp_1', newId: () => 'x', createdAt: 7 }

/** The field that a body is refused for. */
function refusedField(more: Record<string, unknown>): unknown {
  try {
    parseResponse({ model: 'm', input: 'Hi', ...more }, OPTIONS)
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid-field') return error.data['field']
    throw error
  }
  return undefined
}

test.each<[string, Record<string, unknown>]>([
  ['service_tier', { service_tier: 'gold' }],
  ['stream_options', { stream_options: { include_obfuscation: true } }],
])('%s is refused where the chat refuses it: %j', (field, more) => {
  expect(refusedField(more)).toBe(field)
})

test.each<[Record<string, unknown>]>([
  [{ service_tier: 'ultrafast' }],
  [{ stream: true, stream_options: { include_obfuscation: true } }],
  [{ stream_options: null }],
])('%j is understood', (more) => {
  expect(refusedField(more)).toBeUndefined()
})
