/** A conversation through the Jinja template of its model, tried in the shapes that templates disagree about. */
import type { Message } from '../shared/generate.ts'
import { ANSWER_SCHEMA, type MessagesPrompt, type TemplateSource } from './template-source.ts'
import { keepsWhatWasSaid, mendedMessages, oneCallEach } from './message-mends.ts'
import { runTemplate, TemplateRefusal } from './run-template.ts'
import {
  keepsToolCalls,
  leadingSystemAsOne,
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
 * As it is; where the template refuses that, or drops what somebody said, in the first shape that it takes whole (Gemma has no system message,
 * Mistral wants roles that alternate and shows the system message only when the user spoke last).
 * Throws TemplateRefusal, and an Error when the template fails.
 */
export function renderTemplate(source: TemplateSource, template: string, given: MessagesPrompt, now: Date): RenderedText {
  try {
    return renderMended(source, template, given, now)
  } catch (error) {
    const described = withDescriptions(given)
    if (error instanceof TemplateRefusal || !described) throw error
    return renderMended(source, template, described, now)
  }
}

/** gpt-oss's template fails on a tool without a description; others would show an empty one. Undefined when all have one. */
function withDescriptions(given: MessagesPrompt): MessagesPrompt | undefined {
  if (!given.tools?.some(({ description }) => description === undefined)) return undefined
  return { ...given, tools: given.tools.map((tool) => ({ ...tool, description: tool.description ?? '' })) }
}

function renderMended(source: TemplateSource, template: string, given: MessagesPrompt, now: Date): RenderedText {
  const asDeveloper = renderDeveloper(source, template, given, now)
  if (asDeveloper !== undefined) return { text: asDeveloper }
  const messages = suited(template, leadingSystemAsOne(given.messages))
  const render = (shaped: readonly Message[]): string => renderShapes(source, template, { ...given, messages: [...shaped] }, now)
  const asItIs = attemptOrRefusal(() => render(messages))
  if (asItIs.text !== undefined && keepsWhatWasSaid(asItIs.text, messages)) return { text: asItIs.text }
  for (const { messages: mended, note } of mendedMessages(messages)) {
    const text = note === undefined ? undefined : attempt(() => render(mended))
    if (text === undefined || !keepsWhatWasSaid(text, mended)) continue
    const why = asItIs.refusal ? `refuses these messages (${asItIs.refusal.message})` : 'drops some messages'
    return { text, usedFallback: `the chat template ${why}; ${note}` }
  }
  if (asItIs.text !== undefined) return { text: asItIs.text }
  throw asItIs.refusal
}

/** Developer messages in their own role, when the template shows them. Everywhere else they rank as system messages. */
function renderDeveloper(source: TemplateSource, template: string, given: MessagesPrompt, now: Date): string | undefined {
  const told = given.messages.filter(({ role }) => role === 'developer')
  if (told.length === 0 || !template.includes('developer')) return undefined
  const prompt = { ...given, messages: suited(template, given.messages) }
  const text = attempt(() => renderShapes(source, template, prompt, now))
  return told.every(({ content }) => text?.includes(content.trim())) ? text : undefined
}

/** Mistral's templates refuse ids that are not nine letters or digits; gpt-oss's shows one call a message. */
function suited(template: string, messages: readonly Message[]): Message[] {
  if (template.includes('<|channel|>')) return oneCallEach(messages)
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
    ...toldSchema(template, prompt),
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

/** DeepSeek V4's templates have a place for the bare schema; others use the name for something else. */
function toldSchema(template: string, { templateVariables }: MessagesPrompt): Record<string, unknown> {
  const schema = templateVariables?.[ANSWER_SCHEMA]
  return schema !== undefined && template.includes('strictly adhere to the following schema') ? { response_format: schema } : {}
}

function markEnd(messages: readonly Message[]): Message[] {
  return messages.map((message, index) => (index === messages.length - 1 ? { ...message, content: message.content + END_MARK } : message))
}

function cutAtEndMark(text: string): string {
  const end = text.lastIndexOf(END_MARK)
  if (end < 0) throw new Error('the template does not show the message that is to be continued')
  return text.slice(0, end)
}

/** Other errors are the caller's. */
function attemptOrRefusal(run: () => string): { text?: string; refusal?: TemplateRefusal } {
  try {
    return { text: run() }
  } catch (error) {
    if (error instanceof TemplateRefusal) return { refusal: error }
    throw error
  }
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    // The caller tries something else, or runs it again to tell the error.
    return undefined
  }
}
