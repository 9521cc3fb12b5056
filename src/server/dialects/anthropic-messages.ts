/** `POST /v1/messages` and the counting of its tokens: the request as a GenerateRequest. Pure. The way back is anthropic-reply.ts and anthropic-stream.ts. */
import {
  AnthropicRequestSchema,
  CountTokensRequestSchema,
  type AnthropicRequest,
  type CountTokensRequest,
} from '../../shared/anthropic/messages-request.ts'
import { AppError } from '../../shared/errors.ts'
import type { GenerateRequest, OutputFormat, Prompt, Tool, ToolChoice } from '../../shared/generate.ts'
import type { ThoughtSigner } from '../thought-signature.ts'
import { conversationOf } from './anthropic-content.ts'
import { checkJsonSchema } from './json-schema-check.ts'
import { compact, ignoredFields, parseBody, refuseFields, stopOf, type RefusedField } from './request-fields.ts'

export interface AnthropicCall {
  request: GenerateRequest
  stream: boolean
  /** Thoughts are a part of the reply. */
  showsThoughts: boolean
  ignored: string[]
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0
const REFUSED: Readonly<Record<string, RefusedField>> = {
  container: { reason: 'there are no containers here' },
  // Clients that try it send the whole conversation after this refusal: see `detailsOf` in anthropic-reply.ts.
  thread: { reason: 'no conversation is held here; send all of its messages' },
  mcp_servers: { reason: 'tools run at the caller, not here', harmless: isEmptyList },
}
/** Checked, and without effect: the prefix cache needs no marks, and there is one tier. */
const WITHOUT_EFFECT = ['cache_control'] as const

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseAnthropicMessages(body: unknown, id: string, signer: ThoughtSigner): AnthropicCall {
  const call = parseBody(AnthropicRequestSchema, body)
  refuseFields(call, REFUSED)
  const { prompt, choice, ignored } = conversation(call, signer)
  const shows = (call.thinking?.type === 'enabled' || call.thinking?.type === 'adaptive') && call.thinking.display !== 'omitted'
  const request: GenerateRequest = {
    id,
    model: call.model,
    prompt,
    sampling: compact({ temperature: call.temperature, topP: call.top_p, topK: call.top_k }),
    maxTokens: call.max_tokens,
    stop: stopOf(call.stop_sequences),
    ignoreEos: false,
    choices: 1,
    deterministic: false,
    reasoning: 'split',
    ...choice,
    ...compact({ output: outputOf(call), thinkingTokens: thinkingTokensOf(call) }),
  }
  const silent = WITHOUT_EFFECT.filter((field) => call[field] !== undefined && call[field] !== null)
  const unknown = ignoredFields(call, AnthropicRequestSchema.shape).filter((field) => !Object.hasOwn(REFUSED, field))
  return { request, stream: call.stream ?? false, showsThoughts: shows, ignored: [...silent, ...unknown, ...ignored] }
}

/** What the tokens are counted of. Throws as `parseAnthropicMessages`. */
export function parseCountTokens(body: unknown, signer: ThoughtSigner): { model: string; prompt: Prompt; ignored: string[] } {
  const call = parseBody(CountTokensRequestSchema, body)
  const { prompt, ignored } = conversation(call, signer)
  return { model: call.model, prompt, ignored: [...ignoredFields(call, CountTokensRequestSchema.shape), ...ignored] }
}

interface Conversation {
  prompt: Extract<Prompt, { type: 'messages' }>
  choice: Pick<GenerateRequest, 'toolChoice' | 'parallelToolCalls'>
  ignored: string[]
}

function conversation(call: AnthropicRequest | CountTokensRequest, signer: ThoughtSigner): Conversation {
  const { messages, continueLast, ignored } = conversationOf(call, signer)
  const { tools, foreign } = toolsOf(call.tools ?? [])
  return {
    prompt: {
      type: 'messages',
      messages,
      ...compact({
        tools: tools.length > 0 ? tools : undefined,
        thinking: thinkingOf(call),
        continueLast: continueLast || undefined,
      }),
    },
    choice: choiceOf(call.tool_choice, tools),
    ignored: [...ignored, ...foreign],
  }
}

type WireTool = NonNullable<AnthropicRequest['tools']>[number]

/** `foreign`: the places of tools that would run at Anthropic. Throws `unsupported-field` when there are no others. */
function toolsOf(all: readonly WireTool[]): { tools: Tool[]; foreign: string[] } {
  const places = all.map((tool, index) => ({ tool, field: `tools[${index}]` }))
  const isOwn = ({ tool: { type } }: { tool: WireTool }): boolean => !type || type === 'custom'
  const own = places.filter(isOwn)
  const foreign = places.filter((place) => !isOwn(place))
  // Coding agents name some of them beside their own tools, and work without. Alone, they are what was asked for.
  if (foreign[0] && own.length === 0) {
    throw new AppError('unsupported-field', {
      field: foreign[0].field,
      reason: `${foreign[0].tool.type}: tools run at the caller, not here; describe it with input_schema`,
    })
  }
  refuseTwins(own)
  return { tools: own.map(({ tool, field }) => toolOf(tool, field)), foreign: foreign.map(({ field }) => field) }
}

function refuseTwins(places: readonly { tool: WireTool; field: string }[]): void {
  const names = new Set<string>()
  for (const { tool, field } of places) {
    if (names.has(tool.name)) throw new AppError('invalid-field', { field, reason: `there is another tool named ${tool.name}` })
    names.add(tool.name)
  }
}

function toolOf({ name, description, input_schema: schema, strict }: WireTool, field: string): Tool {
  if (schema) checkJsonSchema(schema, `${field}.input_schema`)
  return { name, ...compact({ description, parameters: schema, strict }) }
}

function choiceOf(choice: AnthropicRequest['tool_choice'], tools: readonly Tool[]): Conversation['choice'] {
  if (!choice) return {}
  const toolChoice = toolChoiceOf(choice, tools)
  if (tools.length === 0) return {}
  return { toolChoice, ...(choice.disable_parallel_tool_use ? { parallelToolCalls: false } : {}) }
}

function toolChoiceOf({ type, name }: NonNullable<AnthropicRequest['tool_choice']>, tools: readonly Tool[]): ToolChoice {
  if (type === 'auto' || type === 'none') return { type }
  if (tools.length === 0) throw new AppError('invalid-field', { field: 'tool_choice', reason: 'it needs "tools"' })
  if (type === 'any') return { type: 'required' }
  if (name === undefined || !tools.some((tool) => tool.name === name))
    throw new AppError('invalid-field', { field: 'tool_choice.name', reason: 'there is no tool of this name' })
  return { type: 'named', name }
}

function thinkingOf({ thinking, output_config: config }: AnthropicRequest | CountTokensRequest): Conversation['prompt']['thinking'] {
  const enabled = thinking?.type === 'enabled' ? true : thinking?.type === 'disabled' ? false : undefined
  const asked = compact({ enabled, effort: config?.effort })
  return Object.keys(asked).length > 0 ? asked : undefined
}

function thinkingTokensOf({ thinking, max_tokens: most }: AnthropicRequest): number | undefined {
  if (thinking?.type !== 'enabled') return undefined
  // Claude Code leaves it out for models that it does not know: then there is no limit but `max_tokens`.
  if (thinking.budget_tokens === undefined) return undefined
  if (thinking.budget_tokens >= most)
    throw new AppError('invalid-field', { field: 'thinking.budget_tokens', reason: 'it must be less than "max_tokens"' })
  return thinking.budget_tokens
}

function outputOf({ output_config: config, output_format: old }: AnthropicRequest): OutputFormat | undefined {
  const format = config?.format ?? old
  if (!format) return undefined
  checkJsonSchema(format.schema, config?.format ? 'output_config.format.schema' : 'output_format.schema')
  return { type: 'json-schema', schema: format.schema }
}
