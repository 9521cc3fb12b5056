import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Message, Tool } from '../shared/generate.ts'
import { type MessagesPrompt, renderChatTemplate, type RenderedPrompt } from './chat-template.ts'
import { ANSWER_SCHEMA } from './template-source.ts'

const folder = new URL('../../test/fixtures/chat-templates/', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.jinja'))

function render(file: string, prompt: Omit<MessagesPrompt, 'type'>): RenderedPrompt {
  const source = {
    template: readFileSync(new URL(file, folder), 'utf8'),
    bosToken: '<BOS>',
    eosToken: '<EOS>',
    architecture: 'llama',
    name: file,
  }
  return renderChatTemplate(source, { type: 'messages', ...prompt }, { now: new Date(2026, 10, 22) })
}

const system = (content: string): Message => ({ role: 'system', content })
const developer = (content: string): Message => ({ role: 'developer', content })
const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string, more: Partial<Message> = {}): Message => ({ role: 'assistant', content, ...more })
const result = (toolCallId: string, content: string, name: string): Message => ({ role: 'tool', content, toolCallId, name })
const tools: Tool[] = [
  {
    name: '天气_get',
    description: 'Weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
  { name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' } } } },
]
const calls = [
  { id: 'call_1', name: '天气_get', arguments: '{"city": "Oslo-1"}' },
  { id: 'call_2', name: 'add', arguments: '{"a": 424242}' },
]
const called = [
  user('USER-1'),
  assistant('', { toolCalls: calls }),
  result('call_1', 'RESULT-1', '天气_get'),
  result('call_2', 'RESULT-2', 'add'),
]

const conversations: Record<string, Omit<MessagesPrompt, 'type'>> = {
  'a developer message': { messages: [developer('DEVELOPER-1'), user('USER-1')] },
  'a developer message behind a system message': { messages: [system('SYSTEM-1'), developer('DEVELOPER-1'), user('USER-1')] },
  'two system messages': { messages: [system('SYSTEM-1'), system('SYSTEM-2'), user('USER-1')] },
  'a system message later on': { messages: [system('SYSTEM-1'), user('USER-1'), assistant('yes'), system('SYSTEM-2'), user('USER-2')] },
  'a developer message later on': { messages: [user('USER-1'), assistant('yes'), developer('DEVELOPER-1'), user('USER-2')] },
  'the user twice': { messages: [user('USER-1'), user('USER-2')] },
  'an answer first': { messages: [assistant('yes'), user('USER-1')] },
  'an answer without content': { messages: [user('USER-1'), assistant(''), user('USER-2')] },
  'calls, their results and a system message': { messages: [system('SYSTEM-1'), ...called], tools },
  'calls, and more talk behind them': { messages: [...called, assistant('yes'), user('USER-2')], tools },
  'calls of tools that are gone': { messages: [...called, user('USER-2')] },
  'an answer to be continued': { messages: [user('USER-1'), assistant('PREFIX-1')], continueLast: true },
}

describe.each(files)('%s', (file) => {
  it.each(Object.entries(conversations))('shows all of %s', (_, prompt) => {
    const { text } = render(file, prompt)
    for (const said of JSON.stringify(prompt.messages).match(/[A-Z]{4,}-\d|Oslo-1|424242/g) ?? []) expect(text).toContain(said)
    expect(text).not.toMatch(/\[object |END_MARK|bendi-end/)
    if (prompt.continueLast) expect(text.endsWith('PREFIX-1')).toBe(true)
  })
})

describe('the dialect of the answer', () => {
  it.each([
    ['qwen3-coder', 'qwen3-coder', 'elements'],
    ['qwen3.5', 'qwen3-coder', 'elements'],
    ['glm-4.6', 'glm', 'elements'],
    ['glm-4.7', 'glm', 'elements'],
    ['kimi-k2', 'kimi-k2', 'named'],
    ['gpt-oss', 'gpt-oss', 'harmony'],
    ['ministral-3', 'mistral', 'named'],
    ['deepseek-v4', 'deepseek-v4', 'dsml'],
  ])('%s', (file, name, syntax) => {
    const { dialect, usedFallback } = render(`${file}.jinja`, { messages: [user('q')], tools })
    expect([dialect.name, dialect.tools.type, usedFallback]).toEqual([name, syntax, undefined])
  })

  it('thinks, or not, as the request wants', () => {
    for (const file of ['qwen3.5.jinja', 'glm-4.6.jinja', 'glm-4.7.jinja', 'deepseek-v4.jinja']) {
      expect(render(file, { messages: [user('q')], thinking: { enabled: true } }).mayThink, file).toBe(true)
      expect(render(file, { messages: [user('q')], thinking: { enabled: false } }), file).toMatchObject({
        mayThink: false,
        opensThought: false,
      })
    }
  })
})

it('DeepSeek V4 is told the schema of the answer, other models are not', () => {
  const prompt = { messages: [system('S'), user('q')], templateVariables: { [ANSWER_SCHEMA]: { type: 'object', title: 'T' } } }
  expect(render('deepseek-v4.jinja', prompt).text).toContain(
    'S\n\n## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n{"type": "object", "title": "T"}',
  )
  for (const file of ['glm-4.6.jinja', 'qwen3.jinja']) expect(render(file, prompt).text).not.toContain('"title"')
})

it('gpt-oss shows one call a message, each with its result', () => {
  const { text } = render('gpt-oss.jinja', { messages: called, tools })
  expect(text.indexOf('Oslo-1')).toBeLessThan(text.indexOf('RESULT-1'))
  expect(text.indexOf('RESULT-1')).toBeLessThan(text.indexOf('424242'))
  expect(text.indexOf('424242')).toBeLessThan(text.indexOf('RESULT-2'))
})

it('Mistral Nemo keeps the system message in front of the last question when a result came last', () => {
  const { text, usedFallback } = render('mistral-nemo.jinja', {
    messages: [system('SYSTEM-1'), user('USER-1'), assistant('yes'), ...called],
    tools,
  })
  expect(text.match(/SYSTEM-1/g)).toHaveLength(1)
  expect(usedFallback).toContain('system message')
})
