import { expect, it } from 'vitest'
import { trimLines } from './chat.ts'
import { readSavedChat } from './saved-chat.ts'

const chat = { id: 'c', title: 'T', settings: { system: '' }, createdAt: 1, updatedAt: 2, messageIds: ['q', 'a'] }
const question = { id: 'q', role: 'user', content: 'Why?' }
const answer = { id: 'a', role: 'assistant', content: 'Half', thoughts: '', model: 'm', state: 'streaming', requestId: 'r' }

it('reads a chat, and an answer that was running as one that was cut off', () => {
  const { requestId: _, ...rest } = answer
  expect(readSavedChat(JSON.stringify({ chat, messages: [question, answer] }))).toEqual({
    chat,
    messages: [question, { ...rest, state: 'interrupted' }],
  })
})

it('leaves out messages that cannot be shown', () => {
  const broken = [
    null,
    7,
    {},
    { ...question, id: 'x', content: 3 },
    { ...answer, id: 'y', state: 'dreaming' },
    { ...question, role: 'system' },
  ]
  expect(readSavedChat(JSON.stringify({ chat: { ...chat, messageIds: ['x', 'y', 'q'] }, messages: [...broken, question] }))).toEqual({
    chat: { ...chat, messageIds: ['q'] },
    messages: [question],
  })
})

it.each([
  null,
  '',
  '{"chat":1',
  'null',
  '[]',
  '{"chat":{}}',
  JSON.stringify({ chat, messages: {} }),
  JSON.stringify({ chat: { ...chat, updatedAt: 'now' }, messages: [] }),
])('finds no chat in %j', (text) => {
  expect(readSavedChat(text)).toBeUndefined()
})

it('takes the empty lines off a question, and spaces only where they mean nothing', () => {
  expect([' hello ', '\n \t\n  if a:\n    b\n\n', '   '].map((text) => trimLines(text))).toEqual(['hello', '  if a:\n    b', ''])
})
