/**
 * Turn formats by model family, for models without a chat template, or with one that fails.
 * Sources: the families' own tokenizer configurations; DeepSeek's formats as listed in DeepSeek's repositories.
 */
import type { Message } from '../shared/generate.ts'

export const FALLBACK_FAMILIES = [
  'chatml',
  'deepseek-coder',
  'deepseek-v2',
  'deepseek-v3',
  'deepseek-r1',
  'llama2',
  'llama3',
  'mistral',
  'gemma',
  'glm',
  'kimi',
  'plain',
] as const
export type FallbackFamily = (typeof FALLBACK_FAMILIES)[number]

export interface FamilyHints {
  template?: string
  bosToken: string
  eosToken: string
  architecture: string
  name?: string
}

type Hint = (hints: FamilyHints) => boolean

const templateSays =
  (text: string): Hint =>
  ({ template }) =>
    template?.includes(text) ?? false
const nameSays =
  (pattern: RegExp): Hint =>
  ({ name }) =>
    pattern.test(name ?? '')
const architectureIs =
  (pattern: RegExp): Hint =>
  ({ architecture }) =>
    pattern.test(architecture)
const bosIs =
  (token: string): Hint =>
  ({ bosToken }) =>
    bosToken === token
const eosIs =
  (token: string): Hint =>
  ({ eosToken }) =>
    eosToken === token
const all =
  (...hints: Hint[]): Hint =>
  (given) =>
    hints.every((hint) => hint(given))

/** First match wins: what the template itself writes says most, then the name, then the special tokens, then the architecture. */
const rules: readonly [Hint, FallbackFamily][] = [
  [all(templateSays('<｜Assistant｜>'), templateSays('<think>\\n')), 'deepseek-r1'],
  [templateSays('<｜Assistant｜>'), 'deepseek-v3'],
  [templateSays('<|im_start|>'), 'chatml'],
  [templateSays('<|im_middle|>'), 'kimi'],
  [templateSays('[gMASK]'), 'glm'],
  [templateSays('<|start_header_id|>'), 'llama3'],
  [templateSays('<start_of_turn>'), 'gemma'],
  [templateSays('<<SYS>>'), 'llama2'],
  [templateSays('[INST]'), 'mistral'],
  [nameSays(/deepseek[-_ ]?r1/i), 'deepseek-r1'],
  [nameSays(/deepseek[-_ ]?coder(?![-_ ]?v2)/i), 'deepseek-coder'],
  [nameSays(/deepseek[-_ ]?v?2(?!\.5)|deepseek[-_ ](llm|moe|math|coder)/i), 'deepseek-v2'],
  [nameSays(/deepseek/i), 'deepseek-v3'],
  [nameSays(/kimi[-_ ]?k2/i), 'kimi'],
  [nameSays(/glm[-_ ]?(4|5)/i), 'glm'],
  [nameSays(/llama[-_ ]?2|vicuna/i), 'llama2'],
  [nameSays(/mistral|mixtral|ministral/i), 'mistral'],
  [bosIs('<|begin_of_text|>'), 'llama3'],
  [eosIs('<|im_end|>'), 'chatml'],
  [architectureIs(/^(qwen|smollm|internlm2|yi)/), 'chatml'],
  [architectureIs(/^deepseek2/), 'deepseek-v3'],
  [architectureIs(/^deepseek$/), 'deepseek-v2'],
  [architectureIs(/^glm4/), 'glm'],
  [architectureIs(/^gemma/), 'gemma'],
  [architectureIs(/^mistral/), 'mistral'],
]

export function fallbackFamily(hints: FamilyHints): FallbackFamily {
  return rules.find(([hint]) => hint(hints))?.[1] ?? 'plain'
}

interface FormatTokens {
  bos: string
  eos: string
  /** False when the last message is the assistant's own, to be continued. */
  ask: boolean
}

/** The conversation in the family's format. With `ask` it ends where the assistant starts to speak; without, with the last message's text. */
export function renderFallback(family: FallbackFamily, messages: readonly Message[], tokens: FormatTokens): string {
  const text = formats[family](messages, tokens)
  if (tokens.ask) return text
  const last = messages.at(-1)?.content ?? ''
  const end = text.lastIndexOf(last)
  return end < 0 ? text : text.slice(0, end + last.length)
}

/** What DeepSeek Coder was trained with when nobody gives a system message. */
const CODER_SYSTEM =
  'You are an AI programming assistant, utilizing the DeepSeek Coder model, developed by DeepSeek Company, and you only answer questions related to computer science. For politically sensitive questions, security and privacy issues, and other non-computer science questions, you will refuse to answer.\n'

const formats: Record<FallbackFamily, (messages: readonly Message[], tokens: FormatTokens) => string> = {
  chatml: (messages, { ask }) =>
    turns(messages, ({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`) + (ask ? '<|im_start|>assistant\n' : ''),

  // The end of an answer is this family's EOS, `<|EOT|>`.
  'deepseek-coder': (messages, { bos, eos, ask }) =>
    bos +
    (messages.some(({ role }) => role === 'system') ? '' : CODER_SYSTEM) +
    turns(messages, ({ role, content }) => {
      if (role === 'system') return content
      return role === 'assistant' ? `### Response:\n${content}\n${eos}\n` : `### Instruction:\n${content}\n`
    }) +
    (ask ? '### Response:' : ''),

  'deepseek-v2': (messages, { bos, eos, ask }) =>
    bos +
    turns(messages, ({ role, content }) => {
      if (role === 'system') return `${content}\n\n`
      return role === 'assistant' ? `Assistant: ${content}${eos}` : `User: ${content}\n\n`
    }) +
    (ask ? 'Assistant:' : ''),

  'deepseek-v3': (messages, { bos, eos, ask }) => bos + deepseekTurns(messages, eos) + (ask ? '<｜Assistant｜>' : ''),

  'deepseek-r1': (messages, { bos, eos, ask }) => bos + deepseekTurns(messages, eos) + (ask ? '<｜Assistant｜><think>\n' : ''),

  llama2: (messages, { bos, eos }) => instTurns(messages, { bos, eos, system: (text) => `<<SYS>>\n${text}\n<</SYS>>\n\n`, everyBos: true }),

  llama3: (messages, { bos, ask }) =>
    bos +
    turns(messages, ({ role, content }) => `<|start_header_id|>${role}<|end_header_id|>\n\n${content}<|eot_id|>`) +
    (ask ? '<|start_header_id|>assistant<|end_header_id|>\n\n' : ''),

  mistral: (messages, { bos, eos }) => instTurns(messages, { bos, eos, system: (text) => `${text}\n\n`, everyBos: false }),

  gemma: (messages, { bos, ask }) =>
    bos +
    turns(
      foldSystem(messages, (text) => `${text}\n\n`),
      ({ role, content }) => `<start_of_turn>${role === 'assistant' ? 'model' : 'user'}\n${content}<end_of_turn>\n`,
    ) +
    (ask ? '<start_of_turn>model\n' : ''),

  // The thoughts of earlier answers are left out, as the template does.
  glm: (messages, { ask }) =>
    '[gMASK]<sop>' +
    turns(messages, ({ role, content }) => `<|${role}|>\n${(role === 'assistant' ? withoutThought(content) : content).trim()}`) +
    (ask ? '<|assistant|>' : ''),

  kimi: (messages, { ask }) =>
    turns(
      messages,
      ({ role, content }) => `<|im_${role}|>${role}<|im_middle|>${role === 'assistant' ? withoutThought(content) : content}<|im_end|>`,
    ) + (ask ? '<|im_assistant|>assistant<|im_middle|>' : ''),

  plain: (messages, { ask }) =>
    turns(messages, ({ role, content }) =>
      role === 'system' ? `${content}\n\n` : `${role === 'assistant' ? 'Assistant' : 'User'}: ${content}\n\n`,
    ) + (ask ? 'Assistant:' : ''),
}

function turns(messages: readonly Message[], format: (message: Message) => string): string {
  return messages.map(format).join('')
}

/** R1 and V3 leave earlier thoughts out: only what follows `</think>` counts. */
function deepseekTurns(messages: readonly Message[], eos: string): string {
  return turns(messages, ({ role, content }) => {
    if (role === 'system') return content
    if (role === 'assistant') return `<｜Assistant｜>${withoutThought(content)}${eos}`
    return `<｜User｜>${content}`
  })
}

function withoutThought(content: string): string {
  return content.split('</think>').at(-1) ?? ''
}

/** `[INST] … [/INST]`; Llama 2 begins every user turn with BOS, Mistral only the first. The assistant speaks right after `[/INST]`. */
function instTurns(
  messages: readonly Message[],
  options: { bos: string; eos: string; system: (text: string) => string; everyBos: boolean },
): string {
  const { bos, eos, system, everyBos } = options
  let first = true
  return turns(foldSystem(messages, system), ({ role, content }) => {
    if (role === 'assistant') return ` ${content} ${eos}`
    const start = first || everyBos ? bos : ''
    first = false
    return `${start}[INST] ${content} [/INST]`
  })
}

/** System messages become part of the user message after them. */
function foldSystem(messages: readonly Message[], format: (text: string) => string): Message[] {
  const folded: Message[] = []
  let system = ''
  for (const message of messages) {
    if (message.role === 'system') system += format(message.content)
    else {
      folded.push(message.role === 'user' && system ? { ...message, content: system + message.content } : message)
      if (message.role === 'user') system = ''
    }
  }
  return system ? [...folded, { role: 'user', content: system.trimEnd() }] : folded
}
