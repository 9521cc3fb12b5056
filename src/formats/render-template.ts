/** A conversation through the Jinja template of its model, tried in the shapes that templates disagree about. */
import type { Message } from '../shared/generate.ts'
import type { MessagesPrompt, TemplateSource } from './template-source.ts'
import { runTemplate, TemplateRefusal } from './run-template.ts'
import {
  keepsToolCalls,
  leadingSystemAsOne,
  mergeSystemMessage,
  shortCallIds,
  templateMessage,
  templateTool,
  TOOL_CALL_SHAPES,
  type ToolCallShape,
} from './template-messages.ts'

export interface RenderedText {
  text: string
  usedFallback?: string
}

/** Rendered text may be this many times what went in (messages, tools, template), plus a fixed allowance. */
const MAX_GROWTH = 8
const GROWTH_ALLOWANCE = 64 * 1024
/** Marks where the last message's text ends; cannot come out of a tokenizer or a keyboard. */
const END_MARK = '\u{f8ff}bendi-end\u{f8ff}'

/**
 * As is; when that is refused and starts with a system message, once more with that message merged into the user's (Gemma, old Mistral).
 * Throws TemplateRefusal, and an Error when the template fails.
 */
export function renderTemplate(source: TemplateSource, template: string, given: MessagesPrompt, now: Date): RenderedText {
  const asDeveloper = renderDeveloper(source, template, given, now)
  if (asDeveloper !== undefined) return { text: asDeveloper }
  const prompt = { ...given, messages: suitedIds(template, leadingSystemAsOne(given.messages)) }
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

/** Developer messages in their own role, when the template shows them. Everywhere else they rank as system messages. */
function renderDeveloper(source: TemplateSource, template: string, given: MessagesPrompt, now: Date): string | undefined {
  const told = given.messages.filter(({ role }) => role === 'developer')
  if (told.length === 0 || !template.includes('developer')) return undefined
  const prompt = { ...given, messages: suitedIds(template, given.messages) }
  const text = attempt(() => renderShapes(source, template, prompt, now))
  return told.every(({ content }) => text?.includes(content.trim())) ? text : undefined
}

/** Mistral's templates refuse ids that are not nine letters or digits. */
function suitedIds(template: string, messages: readonly Message[]): Message[] {
  return /length\s*!=\s*9/.test(template) ? shortCallIds(messages) : [...messages]
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

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    // The caller tries something else, or runs it again to tell the error.
    return undefined
  }
}
