/** What a request says about thinking, in the words of OpenAI, DeepSeek, DashScope, vLLM and OpenRouter. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { GenerateRequest, Prompt } from '../../shared/generate.ts'
import { REASONING_FORMATS } from '../../shared/openai/chat-request.ts'
import type { ChatRequest } from '../../shared/openai.ts'
import { compact } from './request-fields.ts'

/** Where the thoughts go in the reply; `text`: they stay where the model wrote them. */
export type ReasoningFormat = 'reasoning_content' | 'reasoning' | 'both' | 'think' | 'hidden' | 'text'

type ThinkingBody = Pick<
  ChatRequest,
  | 'reasoning_effort'
  | 'reasoning_format'
  | 'enable_thinking'
  | 'thinking'
  | 'max_thinking_tokens'
  | 'thinking_budget'
  | 'reasoning'
  | 'include_reasoning'
  | 'chat_template_kwargs'
>
type Thinking = NonNullable<Extract<Prompt, { type: 'messages' }>['thinking']>

/** Absent: the model's default. The plainest word wins: a switch before an effort. */
export function thinkingOf(body: ThinkingBody): Thinking | undefined {
  const effort = body.reasoning_effort ?? body.reasoning?.effort ?? undefined
  const enabled = switchOf(body) ?? (effort === undefined ? undefined : effort !== 'none')
  const thinking = compact({ enabled, effort: effort === 'none' ? undefined : effort })
  return Object.keys(thinking).length > 0 ? thinking : undefined
}

function switchOf({ enable_thinking: enable, thinking, reasoning, chat_template_kwargs: variables }: ThinkingBody): boolean | undefined {
  const fromVariables = [variables?.['enable_thinking'], variables?.['thinking']].find((value) => typeof value === 'boolean')
  return enable ?? switchOfThinking(thinking) ?? reasoning?.enabled ?? fromVariables
}

/** `adaptive` and `auto` leave it to the model. */
function switchOfThinking(thinking: ChatRequest['thinking']): boolean | undefined {
  if (thinking === null || thinking === undefined || typeof thinking === 'boolean') return thinking ?? undefined
  return thinking.type === 'enabled' ? true : thinking.type === 'disabled' ? false : undefined
}

/** Tokens of thought at most. */
export function thinkingTokensOf(body: ThinkingBody): number | undefined {
  const fromThinking = typeof body.thinking === 'object' ? body.thinking?.budget_tokens : undefined
  return body.max_thinking_tokens ?? body.thinking_budget ?? fromThinking ?? body.reasoning?.max_tokens ?? undefined
}

/** `header` is that of `x-bendi-reasoning`, for clients whose body cannot be changed; the body's own word wins. Throws `invalid-field`. */
export function reasoningFormatOf(body: ThinkingBody, header: string | undefined): ReasoningFormat {
  const asked = body.reasoning_format ?? headerFormat(header)
  if (asked === undefined) return body.include_reasoning === false || body.reasoning?.exclude === true ? 'hidden' : 'reasoning_content'
  if (asked === 'auto' || asked === 'deepseek') return 'reasoning_content'
  return asked === 'none' ? 'text' : asked
}

function headerFormat(header: string | undefined): (typeof REASONING_FORMATS)[number] | undefined {
  if (header === undefined) return undefined
  const known = REASONING_FORMATS.find((format) => format === header.trim())
  if (known) return known
  throw new AppError('invalid-field', { field: 'x-bendi-reasoning', reason: `expected one of ${REASONING_FORMATS.join(', ')}` })
}

export function splitsReasoning(format: ReasoningFormat): GenerateRequest['reasoning'] {
  return format === 'text' ? 'text' : 'split'
}
