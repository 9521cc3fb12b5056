import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message } from '../shared/generate.ts'
import { type MessagesPrompt, renderChatTemplate, type TemplateSource } from './chat-template.ts'

const now = new Date(2026, 10, 22, 9, 5)
const conversation = (...messages: Message[]): MessagesPrompt => ({ type: 'messages', messages })
const system = (content: string): Message => ({ role: 'system', content })
const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string, more: Partial<Message> = {}): Message => ({ role: 'assistant', content, ...more })

function real(file: string, more: Partial<TemplateSource> = {}): TemplateSource {
  const template = readFileSync(new URL(`../../test/fixtures/chat-templates/${file}.jinja`, import.meta.url), 'utf8')
  return { template, bosToken: '', eosToken: '', architecture: 'qwen2', name: file, ...more }
}

const deepseek = { bosToken: '<｜begin▁of▁sentence｜>', eosToken: '<｜end▁of▁sentence｜>' }
const r1 = real('deepseek-r1-distill', deepseek)
const v31 = real('deepseek-v3.1', { ...deepseek, architecture: 'deepseek2' })
const qwen25 = real('qwen2.5', { bosToken: '<|endoftext|>', eosToken: '<|im_end|>' })
const qwen3 = real('qwen3', { eosToken: '<|im_end|>', architecture: 'qwen3' })
const smollm2 = real('smollm2', { bosToken: '<|im_start|>', eosToken: '<|im_end|>', architecture: 'llama' })
const llama32 = real('llama-3.2', { bosToken: '<|begin_of_text|>', eosToken: '<|eot_id|>', architecture: 'llama' })
const gemma = real('gemma-2', { bosToken: '<bos>', eosToken: '<eos>', architecture: 'gemma2' })
const mistral = real('mistral-nemo', { bosToken: '<s>', eosToken: '</s>', architecture: 'llama' })

const render = (source: TemplateSource, prompt: MessagesPrompt) => renderChatTemplate(source, prompt, { now })

describe('DeepSeek', () => {
  it('R1 distills end inside an open thought, begin with one BOS, and leave earlier thoughts out', () => {
    const prompt = conversation(
      system('Be brief.'),
      user('1+1?'),
      assistant('<think>\nadd\n</think>\n\n2', { reasoning: 'add' }),
      user('2+2?'),
    )
    expect(render(r1, prompt)).toMatchObject({
      text: '<｜begin▁of▁sentence｜>Be brief.<｜User｜>1+1?<｜Assistant｜>\n\n2<｜end▁of▁sentence｜><｜User｜>2+2?<｜Assistant｜><think>\n',
      opensThought: true,
      mayThink: true,
      startsWithBos: true,
    })
  })

  it('R1 distills get their tool calls, which they only read when the content is null', () => {
    const call = { id: '1', name: 'get_weather', arguments: '{"city":"北京"}' }
    const { text } = render(
      r1,
      conversation(user('Weather?'), assistant('', { toolCalls: [call] }), { role: 'tool', content: '3 °C', toolCallId: '1' }),
    )
    expect(text).toContain('function<｜tool▁sep｜>get_weather\n```json\n{"city":"北京"}\n```')
    expect(text).toContain('<｜tool▁output▁begin｜>3 °C<｜tool▁output▁end｜>')
  })

  it('V3.1 thinks only when asked to', () => {
    const prompt = conversation(user('hi'))
    expect(render(v31, prompt)).toMatchObject({ text: expect.stringMatching(/<｜Assistant｜><think><\/think>$/), opensThought: false })
    const thinking = render(v31, { ...prompt, templateVariables: { thinking: true } })
    expect(thinking).toMatchObject({ text: expect.stringMatching(/<｜Assistant｜><think>$/), opensThought: true })
  })
})

describe('Qwen, SmolLM2, Llama, Mistral, Gemma', () => {
  it('Qwen2.5 adds its own system message and passes tools and object arguments on', () => {
    expect(render(qwen25, conversation(user('hi'))).text).toBe(
      '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
    )
    const call = { id: 'a', name: 'add', arguments: '{"a": 1}' }
    const { text } = render(qwen25, {
      ...conversation(user('1+1'), assistant('', { toolCalls: [call] }), { role: 'tool', content: '2', toolCallId: 'a' }),
      tools: [{ name: 'add', description: 'adds' }],
    })
    expect(text).toContain(
      '{"type": "function", "function": {"name": "add", "description": "adds", "parameters": {"type": "object", "properties": {}}}}',
    )
    expect(text).toContain('<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>')
    expect(text).toContain('<tool_response>\n2\n</tool_response>')
  })

  it('Qwen3 may think, unless enable_thinking is false; the thoughts of the current turn stay', () => {
    expect(render(qwen3, conversation(user('hi')))).toMatchObject({ opensThought: false, mayThink: true, startsWithBos: false })
    const off = render(qwen3, { ...conversation(user('hi')), templateVariables: { enable_thinking: false } })
    expect(off.text).toMatch(/<think>\n\n<\/think>\n\n$/)
    expect(off.opensThought).toBe(false)
    const call = { id: 'a', name: 'add', arguments: '{}' }
    const turn = conversation(user('hi'), assistant('', { reasoning: 'use add', toolCalls: [call] }), { role: 'tool', content: '2' })
    expect(render(qwen3, turn).text).toContain('<think>\nuse add\n</think>')
  })

  it('SmolLM2, whose BOS is <|im_start|>, is known to begin with it', () => {
    expect(render(smollm2, conversation(system('S'), user('hi')))).toMatchObject({
      text: '<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
      opensThought: false,
      mayThink: false,
      startsWithBos: true,
    })
  })

  it('Llama 3.2 is told the date in English, whatever the language of the machine', () => {
    const { text, startsWithBos } = render(llama32, conversation(user(' hi ')))
    expect(text).toContain('Today Date: 22 Nov 2026')
    expect(text.endsWith('user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n')).toBe(true)
    expect(startsWithBos).toBe(true)
  })

  it('Mistral Nemo alternates; neighbours of one role are joined, and that is said', () => {
    expect(render(mistral, conversation(user('a'), assistant('b'), user('c'))).text).toBe('<s>[INST]a[/INST]b</s>[INST]c[/INST]')
    expect(render(mistral, conversation(user('a'), user('b')))).toMatchObject({
      text: '<s>[INST]a\n\nb[/INST]',
      usedFallback: expect.stringMatching(/roles must alternate.*joined/),
    })
  })

  it("Gemma, which refuses the system role, gets the system text in the user's message, and says so", () => {
    const { text, usedFallback } = render(gemma, conversation(system('Be kind.'), user('hi')))
    expect(text).toBe('<bos><start_of_turn>user\nBe kind.\n\nhi<end_of_turn>\n<start_of_turn>model\n')
    expect(usedFallback).toContain('System role not supported')
  })

  it('Gemma gets both at once', () => {
    expect(render(gemma, conversation(system('S'), user('a'), user('b'))).text).toContain('user\nS\n\na\n\nb<end_of_turn>')
  })

  it('what a template refuses in every shape is refused with its own reason', () => {
    const never = { ...gemma, template: "{{ raise_exception('no ' + messages[0].role) }}" }
    expect(() => render(never, conversation(system('S'), user('a'), user('b')))).toThrow(
      expect.objectContaining({ code: 'template-refused', data: { model: 'gemma-2', reason: 'no system' } }),
    )
  })
})

describe('continuing the last message', () => {
  it.each([
    ['deepseek-r1-distill', r1],
    ['deepseek-v3.1', v31],
    ['qwen2.5', qwen25],
    ['qwen3', qwen3],
    ['smollm2', smollm2],
    ['llama-3.2', llama32],
    ['mistral-nemo', mistral],
    ['gemma-2', gemma],
  ])('%s ends exactly with the text to continue, spaces included', (_, source) => {
    const prompt: MessagesPrompt = { ...conversation(user('Count'), assistant('one, two, ')), continueLast: true }
    const { text, usedFallback, opensThought } = render(source, prompt)
    expect(text.endsWith('one, two, ')).toBe(true)
    expect(usedFallback).toBeUndefined()
    expect(opensThought).toBe(false)
  })

  it('goes on thinking when the last message is an unfinished thought', () => {
    const inText = render(r1, { ...conversation(user('?'), assistant('<think>\nFirst,')), continueLast: true })
    expect(inText).toMatchObject({ text: expect.stringMatching(/<｜Assistant｜><think>\nFirst,$/), opensThought: true })
    const apart = render(qwen3, { ...conversation(user('?'), assistant('', { reasoning: 'First,' })), continueLast: true })
    expect(apart).toMatchObject({ text: expect.stringMatching(/assistant\n<think>\nFirst,$/), opensThought: true })
  })

  it('does not take a tag that the user wrote for an open thought', () => {
    expect(render(smollm2, conversation(user('what is <think>'))).opensThought).toBe(false)
  })
})

describe('without a usable template', () => {
  const bare = (more: Partial<TemplateSource>): TemplateSource => ({ bosToken: '<s>', eosToken: '</s>', architecture: 'llama', ...more })
  const asked = conversation(system('S'), user('hi'))

  it.each([
    [
      bare({ architecture: 'qwen2', bosToken: '' }),
      '<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
    ],
    [bare({ architecture: 'deepseek2', ...deepseek }), '<｜begin▁of▁sentence｜>S<｜User｜>hi<｜Assistant｜>'],
    [
      bare({ architecture: 'qwen2', name: 'DeepSeek-R1-Distill-Qwen-1.5B', ...deepseek }),
      '<｜begin▁of▁sentence｜>S<｜User｜>hi<｜Assistant｜><think>\n',
    ],
    [bare({ name: 'DeepSeek-V2-Lite-Chat', architecture: 'deepseek2', ...deepseek }), '<｜begin▁of▁sentence｜>S\n\nUser: hi\n\nAssistant:'],
    [bare({ name: 'Llama-2-7b-chat' }), '<s>[INST] <<SYS>>\nS\n<</SYS>>\n\nhi [/INST]'],
    [bare({ bosToken: '<|begin_of_text|>' }), /^<\|begin_of_text\|><\|start_header_id\|>system<\|end_header_id\|>\n\nS<\|eot_id\|>/],
    [bare({ name: 'Mistral-7B' }), '<s>[INST] S\n\nhi [/INST]'],
    [bare({ architecture: 'gemma3', bosToken: '<bos>' }), '<bos><start_of_turn>user\nS\n\nhi<end_of_turn>\n<start_of_turn>model\n'],
    [bare({ architecture: 'gpt2', bosToken: '' }), 'S\n\nUser: hi\n\nAssistant:'],
  ])('chooses the format of the family (%#)', (source, expected) => {
    const { text, usedFallback } = render(source, asked)
    if (typeof expected === 'string') expect(text).toBe(expected)
    else expect(text).toMatch(expected)
    expect(usedFallback).toContain('the model has no chat template')
  })

  it('says why the template could not be used, and follows the format that the template speaks', () => {
    const { text, usedFallback } = render(bare({ template: `{% for m in messages %}<|im_start|>{{ m.nothing() }}{% endfor %}` }), asked)
    expect(text).toContain('<|im_start|>user\nhi<|im_end|>')
    expect(usedFallback).toMatch(/^the chat template failed: .+; used the chatml format$/)
  })

  it('continues the last message also in a family format', () => {
    const prompt: MessagesPrompt = { ...conversation(user('hi'), assistant('one, ')), continueLast: true }
    for (const architecture of ['qwen2', 'deepseek2', 'gemma', 'mistral', 'gpt2', 'deepseek']) {
      expect(render(bare({ architecture }), prompt).text.endsWith('one, ')).toBe(true)
    }
  })
})

describe('hostile templates', () => {
  const hostile = (template: string): TemplateSource => ({
    template,
    bosToken: '<s>',
    eosToken: '</s>',
    architecture: 'llama',
    name: 'hostile',
  })
  const why = (template: string): string | undefined => render(hostile(template), conversation(user('hi'))).usedFallback

  it.each([
    ['a huge range', '{% for i in range(10**9) %}x{% endfor %}', /range\(\) of more than/],
    ['an infinite range', '{% for i in range(0, 1, 0) %}x{% endfor %}', /range\(\) of more than/],
    ['more text than can be meant', `{% for i in range(9999) %}${'x'.repeat(100)}{% endfor %}`, /rendered text has 999900 characters/],
    ['a syntax error', '{% if %}', /chat template failed/],
    ['a template larger than 256 KiB', 'x'.repeat(256 * 1024 + 1), /larger than 262144 bytes/],
    ['deep nesting', `{{ ${'('.repeat(20_000)} }}`, /chat template failed/],
    ['a deep recursion', '{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}', /chat template failed/],
    ['a call of a missing function', '{{ lipsum() }}', /chat template failed/],
  ])('%s is replaced by the family format', (_, template, reason) => {
    expect(why(template)).toMatch(reason)
  })

  it.each([
    `{{ ''.constructor }}`,
    `{{ messages.__proto__ }}`,
    `{{ messages['constructor'] }}`,
    `{{ raise_exception.constructor }}`,
    `{{ messages[0]['__proto__'] }}`,
    `{{ process }}{{ globalThis }}{{ self.__init__ }}`,
  ])('sees no JavaScript: %s', (template) => {
    const { text, usedFallback } = render(hostile(template), conversation(user('hi')))
    expect(usedFallback ?? text).not.toMatch(/native code|\[object|function /)
  })

  it('cannot be given other globals by a request', () => {
    const prompt = { ...conversation(user('hi')), templateVariables: { range: 'mine', messages: [], bos_token: 'forged', tone: 'kind' } }
    expect(
      render(hostile('{{ bos_token }}{{ messages[0].content }}{{ tone }}{% for i in range(2) %}{{ i }}{% endfor %}'), prompt).text,
    ).toBe('<s>hikind01')
  })

  it('drops the second BOS of a template that writes two', () => {
    expect(render(hostile('{{ bos_token }}<s>{{ messages[0].content }}'), conversation(user('hi'))).text).toBe('<s>hi')
  })
})

describe('any conversation', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map((value) => value.trim() || 'x')
  const turnsOf = fc.array(fc.tuple(text, text), { maxLength: 3 })

  it.each([
    ['smollm2', smollm2],
    ['qwen2.5', qwen25],
    ['llama-3.2', llama32],
  ] as const)('keeps every text in %s', (_, source) => {
    fc.assert(
      fc.property(turnsOf, text, (turns, last) => {
        const messages = [...turns.flatMap(([question, answer]) => [user(question), assistant(answer)]), user(last)]
        const rendered = render(source, conversation(...messages)).text
        for (const message of messages) expect(rendered).toContain(message.content)
      }),
    )
  })
})
