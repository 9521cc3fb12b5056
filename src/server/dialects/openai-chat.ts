/** `POST /v1/chat/completions`: the request as a GenerateRequest. Pure. The way back is openai-chat-reply.ts and openai-chat-stream.ts. */
import { AppError } from '../../shared/errors.ts'
import type { GenerateRequest } from '../../shared/generate.ts'
import { ChatRequestSchema, type ChatRequest } from '../../shared/openai.ts'
import { tierOf, type ServiceTier } from '../../shared/openai/service-tier.ts'
import { messagesOf } from './openai-messages.ts'
import { toolWishesOf, usesLegacyFunctions } from './openai-tools.ts'
import { outputOf } from './output-format.ts'
import {
  compact,
  ignoredFields,
  isShallow,
  keepAliveOf,
  maxTokensOf,
  parseBody,
  refuseFields,
  samplingOf,
  stopOf,
  streamOptionsOf,
  type RefusedField,
  type StreamWishes,
} from './request-fields.ts'
import { reasoningFormatOf, splitsReasoning, thinkingOf, thinkingTokensOf, type ReasoningFormat } from './thinking-fields.ts'

export interface ChatCall extends StreamWishes {
  request: GenerateRequest
  shape: ChatShape
  ignored: string[]
}

/** What the request says about the reply's form. */
export interface ChatShape {
  reasoning: ReasoningFormat
  /** The old `functions`: the reply speaks of `function_call`. */
  legacyFunctions: boolean
  withLogprobs: boolean
  /** Told when it was asked for. */
  serviceTier?: ServiceTier
  metadata?: Record<string, string>
}

/** The same wishes as headers, for clients whose body cannot be changed; the body wins. */
export interface ChatHeaders {
  /** `x-bendi-reasoning` */
  reasoning?: string | undefined
  /** `x-bendi-truncation` */
  truncation?: string | undefined
}

const REFUSED: Readonly<Record<string, RefusedField>> = {
  modalities: { reason: 'only text can be generated', harmless: (value) => Array.isArray(value) && value.every((item) => item === 'text') },
  audio: { reason: 'only text can be generated' },
  web_search_options: { reason: 'answers come from the model alone; give it a search tool' },
  moderation: { reason: 'there is no moderation model here' },
  verbosity: { reason: 'say in a message how long the answer should be', harmless: (value) => value === 'medium' },
  store: { reason: 'chat completions are not stored here; leave it out, or use /v1/responses', harmless: (value) => value === false },
}

/** Checked, and without effect: what they ask for changes no answer. */
const WITHOUT_EFFECT = ['user', 'safety_identifier', 'prompt_cache_key', 'prediction'] as const

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseChat(body: unknown, id: string, headers: ChatHeaders = {}): ChatCall {
  const chat = parseBody(ChatRequestSchema, body)
  refuseFields(chat, REFUSED)
  const reasoning = reasoningFormatOf(chat, headers.reasoning)
  const { tools, ...choice } = toolWishesOf(chat)
  const request: GenerateRequest = {
    id,
    model: chat.model,
    prompt: promptOf(chat, tools),
    sampling: samplingOf(chat),
    stop: stopOf(chat.stop),
    ignoreEos: chat.ignore_eos ?? false,
    choices: chat.n ?? 1,
    deterministic: chat.deterministic ?? false,
    reasoning: splitsReasoning(reasoning),
    ...choice,
    ...compact({
      output: outputOf(chat),
      thinkingTokens: thinkingTokensOf(chat),
      language: chat.language,
      truncation: chat.truncation ?? truncationHeader(headers.truncation),
      maxTokens: maxTokensOf(chat.max_completion_tokens ?? chat.max_tokens),
      logprobs: logprobsOf(chat),
      keepAlive: keepAliveOf(chat.keep_alive),
      background: tierOf(chat.service_tier) === 'flex' || undefined,
    }),
  }
  return { request, ...streamOptionsOf(chat), shape: shapeOf(chat, reasoning), ignored: ignoredOf(chat) }
}

function promptOf(chat: ChatRequest, tools: ReturnType<typeof toolWishesOf>['tools']): GenerateRequest['prompt'] {
  const { messages, continueLast } = messagesOf(chat)
  const { chat_template_kwargs: variables } = chat
  if (!isShallow(variables)) throw new AppError('invalid-field', { field: 'chat_template_kwargs', reason: 'nested too deep' })
  return {
    type: 'messages',
    messages,
    ...compact({
      tools,
      thinking: thinkingOf(chat),
      templateVariables: variables && Object.keys(variables).length > 0 ? variables : undefined,
      continueLast: continueLast || undefined,
    }),
  }
}

function shapeOf(chat: ChatRequest, reasoning: ReasoningFormat): ChatShape {
  return {
    reasoning,
    legacyFunctions: usesLegacyFunctions(chat),
    withLogprobs: chat.logprobs ?? false,
    ...compact({ metadata: chat.metadata, serviceTier: typeof chat.service_tier === 'string' ? tierOf(chat.service_tier) : undefined }),
  }
}

function logprobsOf(chat: ChatRequest): number | undefined {
  if (chat.logprobs) return chat.top_logprobs ?? 0
  if (chat.top_logprobs) throw new AppError('invalid-field', { field: 'top_logprobs', reason: 'it needs "logprobs": true' })
  return undefined
}

/** The wish of `x-bendi-truncation`, which every surface with conversations knows. Throws `invalid-field`. */
export function truncationHeader(header: string | undefined): 'auto' | 'disabled' | undefined {
  if (header === undefined || header === 'auto' || header === 'disabled') return header
  throw new AppError('invalid-field', { field: 'x-bendi-truncation', reason: 'expected auto or disabled' })
}

function ignoredOf(chat: ChatRequest): string[] {
  const silent = WITHOUT_EFFECT.filter((field) => chat[field] !== undefined && chat[field] !== null)
  return [...silent, ...ignoredFields(chat, ChatRequestSchema.shape).filter((field) => !Object.hasOwn(REFUSED, field))]
}
