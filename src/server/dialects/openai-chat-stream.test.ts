import { describe, expect, test } from 'vitest'
import { answer } from '../../../test/fakes/scripted-engine.ts'
import { ChatChunkSchema, type ChatChunk } from '../../shared/openai.ts'
import type { GenerateEvent } from '../../shared/generate.ts'
import { createChatEncoder, type ChatEncoderOptions } from './openai-chat-stream.ts'
import type { ChatShape } from './openai-chat.ts'

const HEAD = { id: 'a', created: 1, model: 'b"\n', fingerprint: 'c' }
const SHAPE: ChatShape = { reasoning: 'reasoning_content', legacyFunctions: false, withLogprobs: false }

function encode(events: Iterable<GenerateEvent>, shape: Partial<ChatShape> = {}, more: Partial<ChatEncoderOptions> = {}): string[] {
  const encoder = createChatEncoder(HEAD, { choices: 1, includeUsage: false, language: 'en', shape: { ...SHAPE, ...shape }, ...more })
  const text = Array.from(events, (event) => encoder.encode(event)).join('')
  return text.split('\n\n').filter(Boolean)
}

function chunksOf(frames: readonly string[]): ChatChunk[] {
  return frames.filter((frame) => frame.startsWith('data: ')).map((frame) => ChatChunkSchema.parse(JSON.parse(frame.slice(6))))
}

const joined = (chunks: readonly ChatChunk[], field: 'content' | 'reasoning_content' | 'reasoning'): string =>
  chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta[field] ?? '')).join('')

test('a text with every awkward character survives its chunk', () => {
  const text = '\u0000"\\\n\r\u2028 $& $1 🎉 \ud800 data: [DONE]'
  const chunks = chunksOf(encode([{ type: 'text-delta', choice: 0, text }]))
  expect(joined(chunks, 'content')).toBe(text)
  expect(chunks[0]?.model).toBe('b"\n')
})

describe('the thoughts go where they are wanted', () => {
  test.each([
    ['reasoning_content', 'hello you', 'I think', ''],
    ['reasoning', 'hello you', '', 'I think'],
    ['both', 'hello you', 'I think', 'I think'],
    ['hidden', 'hello you', '', ''],
    ['think', '<think>\nI think\n</think>\n\nhello you', '', ''],
  ] as const)('%s', (reasoning, content, reasoningContent, other) => {
    const chunks = chunksOf(encode(answer('hello you', { reasoning: 'I think' }), { reasoning }))
    expect([joined(chunks, 'content'), joined(chunks, 'reasoning_content'), joined(chunks, 'reasoning')]).toEqual([
      content,
      reasoningContent,
      other,
    ])
  })

  test('a thought that nothing follows is closed all the same', () => {
    const chunks = chunksOf(encode(answer('', { reasoning: 'hm', reason: 'length' }), { reasoning: 'think' }))
    expect(joined(chunks, 'content')).toBe('<think>\nhm\n</think>\n\n')
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('length')
  })
})

test('the old functions are told by function_call, and only the first', () => {
  const calls = [
    { id: 'x', name: 'f', arguments: '{"a":1}' },
    { id: 'y', name: 'g', arguments: '{}' },
  ]
  const deltas = chunksOf(encode(answer('', { calls }), { legacyFunctions: true })).flatMap(({ choices }) => choices)
  expect(deltas.flatMap(({ delta }) => delta.tool_calls ?? [])).toEqual([])
  const told = deltas.flatMap(({ delta }) => delta.function_call ?? [])
  expect(told[0]).toEqual({ name: 'f', arguments: '' })
  expect(told.map(({ arguments: text }) => text).join('')).toBe('{"a":1}')
  expect(deltas.at(-1)?.finish_reason).toBe('function_call')
})

test('obfuscated chunks are multiples of 64 characters, whatever they say', () => {
  const options = { noise: (length: number) => 'n'.repeat(length) }
  const frames = encode(answer('a bb ccc dddddddddd'), {}, options)
  const lengths = chunksOf(frames).map(({ obfuscation }) => obfuscation?.length ?? 0)
  expect(lengths.slice(0, -1).every((length) => length > 0)).toBe(true)
  const sizes = frames.slice(0, -1).map((frame) => frame.length % 64)
  expect(new Set(sizes).size).toBe(1)
})

test('notices are told at once by a comment, and all of them in the last chunk', () => {
  const notices = [
    { code: 'truncated', droppedMessages: 3, droppedTokens: 120 },
    { code: 'repaired-arguments', choice: 0, call: 1 },
    { code: 'thought-closed', choice: 0, why: 'budget' },
  ] as const
  for (const includeUsage of [false, true]) {
    const frames = encode(answer('hi', { notices: [...notices] }), {}, { includeUsage })
    expect(frames[0]).toBe(': truncated {"dropped_messages":3,"dropped_tokens":120}')
    const chunks = chunksOf(frames)
    expect(chunks.at(-1)?.bendi?.notices).toEqual([
      { code: 'truncated', dropped_messages: 3, dropped_tokens: 120 },
      { code: 'repaired_arguments', choice: 0, call: 1 },
      { code: 'thought_closed', choice: 0, why: 'budget' },
    ])
    expect(chunks.slice(0, -1).every(({ bendi }) => bendi === undefined)).toBe(true)
  }
})
