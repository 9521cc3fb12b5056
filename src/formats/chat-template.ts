/** A conversation → the text that the model reads, by the chat template of its file, or by its family's format when that fails. */
import { AppError } from '../shared/errors.ts'
import type { Tool } from '../shared/generate.ts'
import type { AnswerDialect } from './answer-dialect.ts'
import { detectDialect } from './detect-dialect.ts'
import { deepseekV31ToolText } from './dialects/deepseek-v31.ts'
import { genericCalls } from './dialects/generic.ts'
import { genericToolText, spellOutCalls, withSystemText } from './generic-tools.ts'
import { renderOwnFormat } from './own-formats.ts'
import { renderTemplate, type RenderedText } from './render-template.ts'
import { TemplateRefusal } from './run-template.ts'
import { leadingSystemAsOne } from './template-messages.ts'
import type { MessagesPrompt as Conversation, TemplateSource as Source } from './template-source.ts'
import { type ThinkingChoice, thinkingChoice, thinkingVariables } from './thinking.ts'

export type TemplateSource = Source
export type MessagesPrompt = Conversation

export interface RenderedPrompt {
  text: string
  /** The text ends inside an open `<think>`: the answer begins with thoughts and never opens the tag itself. */
  opensThought: boolean
  /** The answer may begin with a thought that the model opens itself. */
  mayThink: boolean
  /** The text begins with BOS already: tokenise without adding one. Otherwise the vocabulary's own rule decides. */
  startsWithBos: boolean
  /** Why the template was not followed to the letter, in English, for the log; absent when it was. */
  usedFallback?: string
  /** The family's rules for what the model writes after this prompt. */
  dialect: AnswerDialect
}

/** A text and the dialect of its answer, which changes when tools are told in another way than the model's own. */
interface Drawn extends RenderedText {
  dialect: AnswerDialect
}

interface Rendering {
  source: TemplateSource
  prompt: MessagesPrompt
  dialect: AnswerDialect
  choice: ThinkingChoice
  now: Date
}

/**
 * Renders the conversation. Throws AppError `template-refused` when the template calls `raise_exception` (e.g. roles that must alternate).
 * A missing template, or one that fails otherwise, is replaced by the family's format, and `usedFallback` says why.
 * Tools that the template leaves out are told in the system message, so that they work with any model.
 * Pure and synchronous: templates of files that nobody vouches for go through `createTemplateRenderer`, which bounds time and memory.
 */
export function renderChatTemplate(source: TemplateSource, prompt: MessagesPrompt, limits: { now?: Date } = {}): RenderedPrompt {
  if (continuesThought(prompt)) return renderOpenThought(source, prompt, limits)
  const known = detectDialect(source)
  const choice = thinkingChoice(prompt, known, releaseName(source))
  const drawn = draw({ source, prompt: withThinking(prompt, choice, known), dialect: known, choice, now: limits.now ?? new Date() })
  const { dialect, usedFallback } = drawn
  const text = withThoughtClosed(withoutDoubleBos(drawn.text, source.bosToken), dialect, prompt, choice)
  const opensThought = endsInThought(text, prompt, dialect)
  return {
    text,
    opensThought,
    mayThink: opensThought || (dialect.thought !== undefined && !prompt.continueLast && !endsWithTag(text, dialect.thought.close)),
    startsWithBos: source.bosToken !== '' && text.startsWith(source.bosToken),
    ...(usedFallback ? { usedFallback } : {}),
    dialect,
  }
}

function draw(rendering: Rendering): Drawn {
  const { source, prompt, now } = rendering
  if (!source.template) return drawOwn(rendering, 'the model has no chat template')
  try {
    return prompt.tools?.length
      ? drawWithTools(rendering, source.template)
      : asDrawn(rendering, renderTemplate(source, source.template, prompt, now))
  } catch (error) {
    if (!(error instanceof TemplateRefusal)) return drawOwn(rendering, `the chat template failed: ${reasonOf(error)}`)
    throw new AppError('template-refused', { model: source.name ?? source.architecture, reason: error.message }, { cause: error })
  }
}

/**
 * The model's own way, unless the template gives the same text without the tools, or refuses what belongs to them. A family that is not known would
 * call in a way that is not known either, so it is told the generic one.
 */
function drawWithTools(rendering: Rendering, template: string): Drawn {
  const { source, prompt, dialect, now } = rendering
  const { tools = [], ...bare } = prompt
  const ownWay = (): Drawn => asDrawn(rendering, renderTemplate(source, template, prompt, now))
  if (dialect.name === 'generic') {
    const told = attempt(() => drawToldTools(rendering, template, bare, tools, 'how this model calls tools is not known'))
    return told.value ?? ownWay()
  }
  const own = attempt(ownWay)
  if (own.value && own.value.text !== attempt(() => renderTemplate(source, template, bare, now)).value?.text) return own.value
  const told = attempt(() => drawToldTools(rendering, template, bare, tools, 'the chat template leaves tools out'))
  if (told.value) return told.value
  // The error of the model's own way says most.
  throw own.error ?? told.error
}

function drawToldTools(
  { source, dialect, now }: Rendering,
  template: string,
  bare: MessagesPrompt,
  tools: readonly Tool[],
  why: string,
): Drawn {
  const isV31 = dialect.name === 'deepseek-v3.1'
  const messages = withSystemText(leadingSystemAsOne(bare.messages), isV31 ? deepseekV31ToolText(tools) : genericToolText(tools))
  const rendered = renderTemplate(source, template, { ...bare, messages: isV31 ? messages : spellOutCalls(messages) }, now)
  const note = `${why}; the system message tells them`
  return {
    text: rendered.text,
    usedFallback: rendered.usedFallback ? `${note}; ${rendered.usedFallback}` : note,
    dialect: isV31 ? dialect : genericToolsIn(dialect),
  }
}

interface Attempt<T> {
  value?: T
  error?: unknown
}

function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { value: run() }
  } catch (error) {
    return { error }
  }
}

/** Encoders of ours for the families that ship no template, and turn formats for the rest. */
function drawOwn({ source, prompt, dialect, choice }: Rendering, why: string): Drawn {
  const own = renderOwnFormat({ source, prompt, dialect, choice })
  const note = own.toolsSpelledOut ? '; the system message tells the tools' : ''
  return {
    text: own.text,
    usedFallback: `${why}; used the ${own.format} format${note}`,
    dialect: own.toolsSpelledOut ? genericToolsIn(dialect) : dialect,
  }
}

function asDrawn({ dialect }: Rendering, text: RenderedText): Drawn {
  return { ...text, dialect }
}

/** The model was told the generic rule; its own syntax is still understood. */
function genericToolsIn(dialect: AnswerDialect): AnswerDialect {
  if (dialect.tools.type === 'harmony') return dialect
  const others = [dialect.tools, ...(dialect.alsoReads ?? [])].filter((syntax) => syntax !== genericCalls)
  return { ...dialect, tools: genericCalls, alsoReads: others }
}

/** What the request says itself about the template's variables counts most. */
function withThinking(prompt: MessagesPrompt, choice: ThinkingChoice, dialect: AnswerDialect): MessagesPrompt {
  // Some copies of these models' templates close the thought unless they are told to think.
  const usual = thinksByDefault(dialect) ? { enable_thinking: true } : {}
  return { ...prompt, templateVariables: { ...usual, ...thinkingVariables(choice), ...prompt.templateVariables } }
}

/** A third-party template of V4's final release may come in a file with another name. */
function releaseName({ name = '', template }: TemplateSource): string {
  return template?.includes('Beyond maximum') ? `${name} 0731` : name
}

/** The last message holds only thoughts: the model goes on thinking. */
function continuesThought({ messages, continueLast }: MessagesPrompt): boolean {
  const last = messages.at(-1)
  return continueLast === true && last?.role === 'assistant' && last.content === '' && Boolean(last.reasoning) && messages.length > 1
}

function renderOpenThought(source: TemplateSource, prompt: MessagesPrompt, limits: { now?: Date }): RenderedPrompt {
  const last = prompt.messages.at(-1)
  const thinking = { ...prompt.thinking, enabled: true }
  const asked = renderChatTemplate(source, { ...prompt, messages: prompt.messages.slice(0, -1), continueLast: false, thinking }, limits)
  const tag = asked.dialect.thought?.open ?? '<think>'
  const open = asked.opensThought ? asked.text : `${asked.text}${tag}\n`
  return { ...asked, text: open + (last?.reasoning ?? ''), opensThought: true, mayThink: true }
}

/** Only what the template (or the message to be continued) puts at the end counts: a user may write `<think>` too. */
function endsInThought(text: string, prompt: MessagesPrompt, dialect: AnswerDialect): boolean {
  const { open, close } = dialect.thought ?? { open: '<think>', close: '</think>' }
  if (!prompt.continueLast) return endsWithTag(text, open)
  const last = prompt.messages.at(-1)?.content ?? ''
  return last.lastIndexOf(open) > last.lastIndexOf(close) || (last === '' && endsWithTag(text, open))
}

/** Models that always think are given an empty thought when nobody wants one. */
function withThoughtClosed(text: string, dialect: AnswerDialect, prompt: MessagesPrompt, { enabled }: ThinkingChoice): string {
  const { thought } = dialect
  if (enabled !== false || !thought || prompt.continueLast) return text
  if (endsWithTag(text, thought.open)) return text + thought.forceClose
  return thinksByDefault(dialect) && !endsWithTag(text, thought.close) ? `${text}${thought.open}\n${thought.forceClose}` : text
}

function thinksByDefault({ name }: AnswerDialect): boolean {
  return name === 'deepseek-r1' || name === 'qwen3'
}

function endsWithTag(text: string, tag: string): boolean {
  return text.trimEnd().endsWith(tag)
}

function withoutDoubleBos(text: string, bos: string): string {
  return bos !== '' && text.startsWith(bos + bos) ? text.slice(bos.length) : text
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
