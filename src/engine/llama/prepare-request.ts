/** A request → the worker's command, and how its answer is to be read. */
import { randomUUID } from 'node:crypto'
import type { AnswerDialect } from '../../formats/answer-dialect.ts'
import { createAnswerParser } from '../../formats/answer-parser.ts'
import type { AnswerParser } from '../../formats/answer-parser.ts'
import { generic } from '../../formats/dialects/generic.ts'
import { outputConstraint } from '../../formats/output-constraint.ts'
import { ANSWER_SCHEMA } from '../../formats/template-source.ts'
import { AppError } from '../../shared/errors.ts'
import type { GenerateRequest, Notice, Prompt } from '../../shared/generate.ts'
import type { GenerateCommand, PromptText } from './messages.ts'
import type { PromptRenderer, Rendered } from './prompt-renderer.ts'
import { truncateTurns } from './truncate-turns.ts'

export interface PreparedRequest {
  command: Omit<GenerateCommand, 'id'>
  /** For one choice; absent: the text is passed on as it is. */
  createParser?: () => AnswerParser
  notices: Notice[]
}

export interface PrepareOptions {
  renderer: PromptRenderer
  /** Tokens that one request could use. */
  window: number
  countTokens(prompt: PromptText): Promise<number>
}

/** A part of the tokens of an answer that is kept for what follows the thought. */
const ANSWER_SHARE = 0.25
/** Room for an answer without a limit, when turns are dropped for it. */
const ROOM = 512

/** Throws `template-refused`, `template-failed`, `invalid-schema`, `invalid-field`. */
export async function prepareRequest(request: GenerateRequest, options: PrepareOptions): Promise<PreparedRequest> {
  const { prompt, notices } = await fitPrompt(request, options)
  const rendered = await options.renderer.render(withOutputTold(prompt, request))
  const {
    sampling,
    maxTokens,
    stop,
    ignoreEos,
    choices,
    logprobs,
    deterministic,
    language,
    promptLogprobs = false,
    background = false,
  } = request
  const tools = prompt.type === 'messages' ? (prompt.tools ?? []) : []
  const constraint = constraintOf(request, rendered, prompt)
  const thought = thoughtOf(request, rendered)
  const { answer } = rendered
  return {
    command: {
      type: 'generate',
      prompt: rendered.text,
      sampling,
      stop,
      // What is held to a form must be able to end.
      ignoreEos: ignoreEos && !constraint,
      choices,
      deterministic,
      promptLogprobs,
      background,
      markup: answer ? markupOf(answer.dialect) : [],
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(logprobs === undefined ? {} : { logprobs }),
      ...(thought && { thought }),
      ...(constraint && { constraint: constraint.root }),
      ...(language && { language }),
    },
    ...(answer && {
      createParser: () =>
        createAnswerParser({
          ...answer,
          tools,
          ...(request.toolChoice && { toolChoice: request.toolChoice }),
          ...(request.parallelToolCalls === undefined ? {} : { parallelToolCalls: request.parallelToolCalls }),
          split: request.reasoning === 'split',
          newId: () => `call_${randomUUID().replaceAll('-', '')}`,
        }),
    }),
    notices,
  }
}

/** The oldest turns are dropped where the request wants that. */
async function fitPrompt(request: GenerateRequest, options: PrepareOptions): Promise<{ prompt: Prompt; notices: Notice[] }> {
  const { prompt, truncation, maxTokens = ROOM } = request
  if (truncation !== 'auto' || prompt.type !== 'messages') return { prompt, notices: [] }
  const { renderer, window, countTokens } = options
  const room = Math.max(1, Math.min(maxTokens, Math.floor(window / 4)))
  const count = async (messages: typeof prompt.messages): Promise<number> =>
    countTokens((await renderer.render(withOutputTold({ ...prompt, messages }, request))).text)
  const truncated = await truncateTurns(prompt.messages, window - room, count)
  if (!truncated) return { prompt, notices: [] }
  const { messages, droppedMessages, droppedTokens } = truncated
  return { prompt: { ...prompt, messages }, notices: [{ code: 'truncated', droppedMessages, droppedTokens }] }
}

/** Models whose format has a place for the schema of the answer (DeepSeek V3.2, V4) are told it there. */
function withOutputTold(prompt: Prompt, { output }: GenerateRequest): Prompt {
  if (prompt.type !== 'messages' || output?.type !== 'json-schema') return prompt
  return { ...prompt, templateVariables: { ...prompt.templateVariables, [ANSWER_SCHEMA]: output.schema } }
}

/** The worker knows where the thought ends, so the constraint is that of the answer alone. */
function constraintOf(request: GenerateRequest, { answer }: Rendered, prompt: Prompt): ReturnType<typeof outputConstraint> {
  const { output, toolChoice, parallelToolCalls, sampling } = request
  const constraint = outputConstraint({
    dialect: answer?.dialect ?? generic,
    opensThought: false,
    mayThink: false,
    ...(output && { output }),
    ...(prompt.type === 'messages' && prompt.tools && { tools: prompt.tools }),
    ...(toolChoice && { toolChoice }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
  })
  if (constraint && sampling.grammar !== undefined) {
    throw new AppError('invalid-field', { field: 'grammar', reason: 'the answer has another form to keep to already' })
  }
  return constraint
}

/** A budget leaves room for the answer: an answer that has no tokens left is none. */
function thoughtOf(request: GenerateRequest, { answer }: Rendered): GenerateCommand['thought'] {
  const { thinkingTokens, maxTokens, output, toolChoice } = request
  const syntax = answer?.dialect.thought
  if (!answer || !syntax || !(answer.opensThought || answer.mayThink)) return undefined
  const most = maxTokens === undefined ? Number.POSITIVE_INFINITY : Math.floor(maxTokens * (1 - ANSWER_SHARE))
  const budget = thinkingTokens === undefined ? undefined : Math.min(thinkingTokens, most)
  const { open, close, forceClose, assumed = false } = syntax
  const rest = forceClose.slice(forceClose.indexOf(close) + close.length)
  // What announces an answer would be in the way of a call that has to come.
  const mustCall = toolChoice?.type === 'required' || toolChoice?.type === 'named'
  return {
    open,
    close,
    forceClose: mustCall && rest.trim() !== '' ? close : forceClose,
    isOpen: answer.opensThought || assumed,
    ...(output && !mustCall && rest.trim() !== '' && { introduction: rest }),
    ...(budget === undefined ? {} : { budget }),
  }
}

/** All texts of a dialect's syntaxes: special tokens within them are marks. gpt-oss writes its channels, which its syntax does not spell out. */
export function markupOf(dialect: AnswerDialect): GenerateCommand['markup'] {
  return dialect.tools.type === 'harmony' ? 'all' : [...new Set(textsIn([dialect.thought, dialect.tools, dialect.alsoReads]))]
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
