/** Prompts without a template: our encoders for the families that ship none, turn formats for the others. */
import type { Message } from '../shared/generate.ts'
import type { AnswerDialect, DialectName } from './answer-dialect.ts'
import { ANSWER_SCHEMA, type MessagesPrompt, type TemplateSource } from './template-source.ts'
import { encodeDeepseekV31 } from './encoders/deepseek-v31-encoder.ts'
import { encodeDeepseekV32 } from './encoders/deepseek-v32-encoder.ts'
import { encodeDeepseekV4, encodeDeepseekV41 } from './encoders/deepseek-v4-encoder.ts'
import type { EncoderInput } from './encoders/encoder-input.ts'
import { fallbackFamily, renderFallback } from './fallback-formats.ts'
import { genericToolText, spellOutCalls, withSystemText } from './generic-tools.ts'
import { leadingSystemAsOne } from './template-messages.ts'
import { effortText, type ThinkingChoice } from './thinking.ts'

export interface OwnFormat {
  text: string
  /** For the log. */
  format: string
  /** The tools are in the system message, by the generic rule. */
  toolsSpelledOut: boolean
}

export interface OwnFormatInput {
  source: TemplateSource
  prompt: MessagesPrompt
  dialect: AnswerDialect
  choice: ThinkingChoice
}

const encoders: Partial<Record<DialectName, (input: EncoderInput) => string>> = {
  'deepseek-v3.1': encodeDeepseekV31,
  'deepseek-v3.2': encodeDeepseekV32,
  'deepseek-v4': encodeDeepseekV4,
  'deepseek-v4.1': encodeDeepseekV41,
}

/** The encoders write these tokens themselves; a vocabulary that lacks their texts is not theirs. */
const DEEPSEEK_BOS = '<｜begin▁of▁sentence｜>'
const DEEPSEEK_EOS = '<｜end▁of▁sentence｜>'

export function renderOwnFormat(input: OwnFormatInput): OwnFormat {
  const encoder = encoders[input.dialect.name]
  return encoder ? encoded(input, encoder) : familyFormat(input)
}

function encoded({ source, prompt, dialect, choice }: OwnFormatInput, encoder: (input: EncoderInput) => string): OwnFormat {
  const { enabled, effort } = choice
  const text = encoder({
    bos: source.bosToken || DEEPSEEK_BOS,
    eos: source.eosToken || DEEPSEEK_EOS,
    messages: prompt.messages,
    tools: prompt.tools ?? [],
    thinking: enabled ?? thinkingVariable(prompt) ?? false,
    responseFormat: prompt.templateVariables?.[ANSWER_SCHEMA],
    effort: effortText(dialect.name, source.name, effort),
    ask: !prompt.continueLast,
  })
  return { text, format: dialect.name, toolsSpelledOut: false }
}

/** The switch under the name that templates give it. */
function thinkingVariable({ templateVariables: { thinking, enable_thinking: enabled } = {} }: MessagesPrompt): boolean | undefined {
  return typeof thinking === 'boolean' ? thinking : typeof enabled === 'boolean' ? enabled : undefined
}

function familyFormat({ source, prompt }: OwnFormatInput): OwnFormat {
  const family = fallbackFamily(source)
  const tokens = { bos: source.bosToken, eos: source.eosToken, ask: !prompt.continueLast }
  const toolsSpelledOut = Boolean(prompt.tools?.length)
  return { text: renderFallback(family, plainMessages(prompt), tokens), format: family, toolsSpelledOut }
}

function plainMessages({ messages, tools }: MessagesPrompt): Message[] {
  const told = tools?.length ? withSystemText(leadingSystemAsOne(messages), genericToolText(tools)) : leadingSystemAsOne(messages)
  return spellOutCalls(told)
}
