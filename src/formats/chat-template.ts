/** A conversation → the text that the model reads, by the chat template of its file, or by its family's format when that fails. */
import { AppError } from '../shared/errors.ts'
import type { Message, Prompt } from '../shared/generate.ts'
import { fallbackFamily, renderFallback } from './fallback-formats.ts'
import { runTemplate, TemplateRefusal } from './run-template.ts'
import {
  keepsToolCalls,
  mergeSystemMessage,
  templateMessage,
  templateTool,
  TOOL_CALL_SHAPES,
  type ToolCallShape,
} from './template-messages.ts'

export interface TemplateSource {
  /** Jinja; absent when the file has none. */
  template?: string
  /** The texts of the special tokens; empty when the vocabulary has none. */
  bosToken: string
  eosToken: string
  architecture: string
  /** The model's name, for messages and to guess its family. */
  name?: string
}

export type MessagesPrompt = Extract<Prompt, { type: 'messages' }>

export interface RenderedPrompt {
  text: string
  /** The text ends inside an open `<think>`: the answer begins with thoughts and never opens the tag itself. */
  opensThought: boolean
  /** The model knows `<think>` tags, so an answer may open one. */
  mayThink: boolean
  /** The text begins with BOS already: tokenise without adding one. Otherwise the vocabulary's own rule decides. */
  startsWithBos: boolean
  /** Why the template was not followed to the letter, in English, for the log; absent when it was. */
  usedFallback?: string
}

/** Rendered text may be this many times what went in (messages, tools, template), plus a fixed allowance. */
const MAX_GROWTH = 8
const GROWTH_ALLOWANCE = 64 * 1024
/** Marks where the last message's text ends; cannot come out of a tokenizer or a keyboard. */
const END_MARK = '\u{f8ff}bendi-end\u{f8ff}'

/**
 * Renders the conversation. Throws AppError `template-refused` when the template calls `raise_exception` (e.g. roles that must alternate).
 * A missing template, or one that fails otherwise, is replaced by the family's format, and `usedFallback` says why.
 * Pure and synchronous: templates of files that nobody vouches for go through `createTemplateRenderer`, which bounds time and memory.
 */
export function renderChatTemplate(source: TemplateSource, prompt: MessagesPrompt, limits: { now?: Date } = {}): RenderedPrompt {
  if (continuesThought(prompt)) return renderOpenThought(source, prompt, limits)
  const { text, usedFallback } = renderText(source, prompt, limits.now ?? new Date())
  const single = withoutDoubleBos(text, source.bosToken)
  return {
    text: single,
    opensThought: endsInThought(single, prompt),
    mayThink: knowsThoughts(source) || /<think>\s*$/.test(single),
    startsWithBos: source.bosToken !== '' && single.startsWith(source.bosToken),
    ...(usedFallback ? { usedFallback } : {}),
  }
}

interface RenderedText {
  text: string
  usedFallback?: string
}

function renderText(source: TemplateSource, prompt: MessagesPrompt, now: Date): RenderedText {
  if (!source.template) return renderFamily(source, prompt, 'the model has no chat template')
  try {
    return renderTemplate(source, source.template, prompt, now)
  } catch (error) {
    if (!(error instanceof TemplateRefusal)) return renderFamily(source, prompt, `the chat template failed: ${reasonOf(error)}`)
    throw new AppError('template-refused', { model: source.name ?? source.architecture, reason: error.message }, { cause: error })
  }
}

function renderFamily(source: TemplateSource, prompt: MessagesPrompt, why: string): RenderedText {
  const family = fallbackFamily(source)
  const tokens = { bos: source.bosToken, eos: source.eosToken, ask: !prompt.continueLast }
  const lost = prompt.tools?.length ? '; tools are left out' : ''
  return { text: renderFallback(family, prompt.messages, tokens), usedFallback: `${why}; used the ${family} format${lost}` }
}

/** As is; when that is refused and starts with a system message, once more with that message merged into the user's (Gemma, old Mistral). */
function renderTemplate(source: TemplateSource, template: string, prompt: MessagesPrompt, now: Date): RenderedText {
  try {
    return { text: renderShapes(source, template, prompt, now) }
  } catch (error) {
    const merged = mergeSystemMessage(prompt.messages)
    if (!(error instanceof TemplateRefusal) || !merged) throw error
    const text = attempt(() => renderShapes(source, template, { ...prompt, messages: merged }, now))
    if (text === undefined) throw error
    return {
      text,
      usedFallback: `the chat template refuses a system message (${error.message}); it was put in front of the first user message`,
    }
  }
}

/** Tries the shapes of tool calls until one is kept by the template; without tool calls there is only one. The first error is the one to tell. */
function renderShapes(source: TemplateSource, template: string, prompt: MessagesPrompt, now: Date): string {
  const [usual, ...others] = TOOL_CALL_SHAPES.map((shape) => () => renderShape(source, template, prompt, shape, now))
  if (!usual) throw new Error('there is no shape to try')
  if (!prompt.messages.some((message) => message.toolCalls?.length)) return usual()
  for (const render of [usual, ...others]) {
    const text = attempt(render)
    if (text !== undefined && keepsToolCalls(text, prompt.messages)) return text
  }
  return usual()
}

function renderShape(source: TemplateSource, template: string, prompt: MessagesPrompt, shape: ToolCallShape, now: Date): string {
  const messages = prompt.continueLast ? markEnd(prompt.messages) : prompt.messages
  const variables = {
    ...prompt.templateVariables,
    messages: messages.map((message) => templateMessage(message, shape)),
    ...(prompt.tools?.length ? { tools: prompt.tools.map(templateTool) } : {}),
    add_generation_prompt: !prompt.continueLast,
    bos_token: source.bosToken,
    eos_token: source.eosToken,
  }
  const maxLength = MAX_GROWTH * (JSON.stringify(variables).length + template.length) + GROWTH_ALLOWANCE
  const text = runTemplate(template, variables, { now, maxLength })
  return prompt.continueLast ? cutAtEndMark(text) : text
}

function markEnd(messages: readonly Message[]): Message[] {
  return messages.map((message, index) => (index === messages.length - 1 ? { ...message, content: message.content + END_MARK } : message))
}

function cutAtEndMark(text: string): string {
  const end = text.lastIndexOf(END_MARK)
  if (end < 0) throw new Error('the template does not show the message that is to be continued')
  return text.slice(0, end)
}

/** The last message holds only thoughts: the model goes on thinking. */
function continuesThought({ messages, continueLast }: MessagesPrompt): boolean {
  const last = messages.at(-1)
  return continueLast === true && last?.role === 'assistant' && last.content === '' && Boolean(last.reasoning) && messages.length > 1
}

function renderOpenThought(source: TemplateSource, prompt: MessagesPrompt, limits: { now?: Date }): RenderedPrompt {
  const last = prompt.messages.at(-1)
  const asked = renderChatTemplate(source, { ...prompt, messages: prompt.messages.slice(0, -1), continueLast: false }, limits)
  const open = asked.opensThought ? asked.text : `${asked.text}<think>\n`
  return { ...asked, text: open + (last?.reasoning ?? ''), opensThought: true, mayThink: true }
}

/** Only what the template (or the message to be continued) puts at the end counts: a user may write `<think>` too. */
function endsInThought(text: string, prompt: MessagesPrompt): boolean {
  if (!prompt.continueLast) return /<think>\s*$/.test(text)
  const last = prompt.messages.at(-1)?.content ?? ''
  return last.lastIndexOf('<think>') > last.lastIndexOf('</think>') || (last === '' && /<think>\s*$/.test(text))
}

function knowsThoughts({ template, name }: TemplateSource): boolean {
  return template === undefined ? /deepseek[-_ ]?r1/i.test(name ?? '') : template.includes('</think>') || template.includes('<think>')
}

function withoutDoubleBos(text: string, bos: string): string {
  return bos !== '' && text.startsWith(bos + bos) ? text.slice(bos.length) : text
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    // The caller tries something else, or runs it again to tell the error.
    return undefined
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
