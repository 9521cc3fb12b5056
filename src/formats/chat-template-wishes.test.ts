import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Message, Tool } from '../shared/generate.ts'
import { type MessagesPrompt, renderChatTemplate, type RenderedPrompt, type TemplateSource } from './chat-template.ts'

const conversation = (...messages: Message[]): MessagesPrompt => ({ type: 'messages', messages })
const developer = (content: string): Message => ({ role: 'developer', content })
const system = (content: string): Message => ({ role: 'system', content })
const user = (content: string): Message => ({ role: 'user', content })
const call = { id: 'call_0123456789abcdef', name: 'get_weather', arguments: '{"city": "北京"}' }
const turn: Message[] = [
  user('Weather?'),
  { role: 'assistant', content: '', toolCalls: [call] },
  { role: 'tool', content: '3 °C', toolCallId: call.id },
]
const tools: Tool[] = [
  { name: 'get_weather', description: 'tells', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
]

function real(file: string, more: Partial<TemplateSource> = {}): TemplateSource {
  const template = readFileSync(new URL(`../../test/fixtures/chat-templates/${file}.jinja`, import.meta.url), 'utf8')
  return { template, bosToken: '', eosToken: '', architecture: 'qwen2', name: file, ...more }
}
const deepseek = { bosToken: '<｜begin▁of▁sentence｜>', eosToken: '<｜end▁of▁sentence｜>' }
const bare = (name: string, architecture = 'deepseek2'): TemplateSource => ({ ...deepseek, architecture, name })
const render = (source: TemplateSource, prompt: MessagesPrompt): RenderedPrompt =>
  renderChatTemplate(source, prompt, { now: new Date(2026, 10, 22) })

describe('tools with any model', () => {
  it('are told by the model’s own template where it shows them', () => {
    for (const file of ['qwen2.5', 'qwen3', 'llama-3.2']) {
      const { text, usedFallback, dialect } = render(real(file), { ...conversation(user('Weather?')), tools })
      expect(text).toContain('get_weather')
      expect(usedFallback).toBeUndefined()
      expect(dialect.name).not.toBe('generic')
    }
  })

  it.each(['smollm2', 'gemma-2', 'deepseek-r1-distill'])(
    'are told in the system message to %s, with earlier calls and results as text',
    (file) => {
      const { text, usedFallback, dialect } = render(real(file, deepseek), { ...conversation(system('Be kind.'), ...turn), tools })
      expect(text).toContain('Be kind.\n\n# Tools')
      expect(text).toContain('<tool_call>\n{"name": "get_weather", "arguments": {"city": "北京"}}\n</tool_call>')
      expect(text).toContain('<tool_response>\n3 °C\n</tool_response>')
      expect(usedFallback).toMatch(/the system message tells them/)
      expect(dialect.tools).toMatchObject({ type: 'json', callBegin: '<tool_call>\n' })
    },
  )

  it('are told to V3.1 in the words that it was trained on', () => {
    const { text, usedFallback, dialect } = render(real('deepseek-v3.1', deepseek), { ...conversation(...turn), tools })
    expect(text).toContain('### get_weather\nDescription: tells\n\nParameters: {"type":"object"')
    expect(text).toContain('get_weather<｜tool▁sep｜>')
    expect(text).not.toContain('# Tools\n\nYou may call')
    expect(usedFallback).toMatch(/leaves tools out/)
    expect(dialect.tools).toMatchObject({ type: 'named' })
  })

  it('are told without a template too', () => {
    const { text, dialect, usedFallback } = render(
      { bosToken: '', eosToken: '', architecture: 'gpt2' },
      { ...conversation(...turn), tools },
    )
    expect(text).toMatch(/^# Tools/)
    expect(text).toContain('User: <tool_response>\n3 °C\n</tool_response>')
    expect(dialect).toMatchObject({ name: 'generic', tools: { type: 'json', bare: true } })
    expect(usedFallback).toContain('the system message tells the tools')
  })

  it('have calls with ids that Mistral accepts', () => {
    const { text } = render(real('mistral-nemo', { bosToken: '<s>', eosToken: '</s>' }), { ...conversation(...turn), tools })
    const ids = [...text.matchAll(/"(?:call_)?id": "([a-z0-9]+)"/g)].map((match) => match[1])
    expect(ids).toHaveLength(2)
    expect(ids[0]).toHaveLength(9)
    expect(ids[0]).toBe(ids[1])
  })
})

describe('the developer role', () => {
  it('ranks as a system message where the template has none, and joins the one before', () => {
    expect(render(real('smollm2'), conversation(system('S'), developer('D'), user('q'))).text).toMatch(/system\nS\n\nD<\|im_end\|>/)
  })

  it('is kept where the template shows it, and only there', () => {
    const shows = `{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{# developer #}`
    const hides = `{% for m in messages %}{% if m.role != 'developer' %}[{{ m.role }}]{{ m.content }}{% endif %}{% endfor %}`
    const source = { bosToken: '', eosToken: '', architecture: 'llama' }
    expect(render({ ...source, template: shows }, conversation(developer('D'), user('q'))).text).toBe('[developer]D[user]q')
    expect(render({ ...source, template: hides }, conversation(developer('D'), user('q'))).text).toBe('[system]D[user]q')
  })
})

describe('thinking', () => {
  const asked = conversation(user('q'))

  it.each<[string, TemplateSource, RegExp, RegExp]>([
    ['V3.1', real('deepseek-v3.1', deepseek), /<｜Assistant｜><think>$/, /<think><\/think>$/],
    ['Qwen 3', real('qwen3'), /assistant\n$/, /<think>\n\n<\/think>\n\n$/],
    ['R1, which always thinks', real('deepseek-r1-distill', deepseek), /<think>\n$/, /<think>\n\n<\/think>\n\n$/],
    ['V4 without a template', bare('DeepSeek-V4-Flash', 'deepseek4'), /<｜Assistant｜><think>$/, /<｜Assistant｜><\/think>$/],
    ['V3.2 without a template', bare('DeepSeek-V3.2', 'deepseek32'), /<｜Assistant｜><think>$/, /<｜Assistant｜><\/think>$/],
    ['V3.1 without a template', bare('DeepSeek-V3.1'), /<｜Assistant｜><think>$/, /<｜Assistant｜><\/think>$/],
    ['R1 without a template', bare('DeepSeek-R1'), /<think>\n$/, /<think>\n\n<\/think>\n\n$/],
  ])('%s is switched on and off', (_, source, on, off) => {
    const thinking = render(source, { ...asked, thinking: { enabled: true } })
    expect(thinking.text).toMatch(on)
    expect(thinking.mayThink).toBe(true)
    const not = render(source, { ...asked, thinking: { enabled: false } })
    expect(not.text).toMatch(off)
    expect(not).toMatchObject({ opensThought: false, mayThink: false })
    expect(render(source, { ...asked, thinking: { effort: 'none' } }).text).toBe(not.text)
  })

  it.each([
    ['DeepSeek-V4-Flash', 'high', ''],
    ['DeepSeek-V4-Flash', 'max', 'Reasoning Effort: Absolute maximum'],
    ['DeepSeek-V4-Flash-0731', 'low', ''],
    ['DeepSeek-V4-Flash-0731', 'medium', ''],
    ['DeepSeek-V4-Flash-0731', 'high', 'Reasoning Effort: Absolute maximum'],
    ['DeepSeek-V4-Flash-0731', 100, 'Reasoning Effort: Beyond maximum'],
    ['DeepSeek-V4.1-Flash', 'low', '<｜System｜>Reasoning Effort: 25 (range 1-100'],
    ['DeepSeek-V4.1-Flash-1017', 'low', '<｜System｜>Reasoning Effort: 50 (range 1-100'],
    ['DeepSeek-V4.1-Flash', 33, '<｜System｜>Reasoning Effort: 33 (range 1-100'],
  ])('%s, effort %s', (name, effort, beginning) => {
    const { text, opensThought } = render(bare(name, 'deepseek4'), { ...asked, thinking: { effort } })
    expect(text.slice(deepseek.bosToken.length).startsWith(beginning)).toBe(true)
    expect(text.includes('Reasoning Effort')).toBe(beginning !== '')
    expect(opensThought).toBe(true)
  })

  it('gives gpt-oss one of its three levels', () => {
    const template = `{{ '<|start|><|channel|><|message|>' }}{{ reasoning_effort }}`
    const source = { template, bosToken: '', eosToken: '', architecture: 'gpt-oss' }
    for (const [effort, level] of [
      ['minimal', 'low'],
      [50, 'medium'],
      ['max', 'high'],
    ] as const) {
      expect(render(source, { ...asked, thinking: { effort } }).text).toMatch(new RegExp(`${level}$`))
    }
  })

  it('does not overrule what the request says itself to the template', () => {
    const prompt = { ...asked, thinking: { enabled: true }, templateVariables: { thinking: false, enable_thinking: false } }
    expect(render(real('deepseek-v3.1', deepseek), prompt).opensThought).toBe(false)
  })
})

describe('without a template', () => {
  const talk: MessagesPrompt = {
    type: 'messages',
    messages: [
      { role: 'system', content: 'S' },
      { role: 'user', content: 'q </think>' },
      { role: 'assistant', content: '<think>hm</think>a' },
      { role: 'user', content: 'r' },
    ],
  }
  it.each([
    ['GLM-4.6', '[gMASK]<sop><|system|>\nS<|user|>\nq </think><|assistant|>\na<|user|>\nr<|assistant|>'],
    [
      'Kimi-K2-Instruct',
      '<|im_system|>system<|im_middle|>S<|im_end|><|im_user|>user<|im_middle|>q </think><|im_end|><|im_assistant|>assistant<|im_middle|>a<|im_end|><|im_user|>user<|im_middle|>r<|im_end|><|im_assistant|>assistant<|im_middle|>',
    ],
  ])('%s has the turns of its family', (name, text) => {
    expect(renderChatTemplate({ name, architecture: 'x', bosToken: '', eosToken: '' }, talk)).toMatchObject({
      text,
      usedFallback: expect.stringContaining('no chat template'),
    })
  })
})
