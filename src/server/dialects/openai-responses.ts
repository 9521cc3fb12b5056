/** `POST /v1/responses` and `/v1/responses/input_tokens`: the request as a GenerateRequest, and what the reply repeats of it. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { GenerateRequest, Message, OutputFormat } from '../../shared/generate.ts'
import { tierOf } from '../../shared/openai/service-tier.ts'
import { ResponseRequestSchema, type ConversationItem, type Response, type ResponseRequest } from '../../shared/responses.ts'
import { checkJsonSchema } from './json-schema-check.ts'
import type { CallNames } from './openai-responses-calls.ts'
import { inputItemsOf, type ItemReference } from './openai-responses-items.ts'
import { responseTools } from './openai-responses-tools.ts'
import { outputOf } from './output-format.ts'
import {
  compact,
  ignoredFields,
  isShallow,
  keepAliveOf,
  parseBody,
  refuseFields,
  samplingOf,
  stopOf,
  streamOptionsOf,
  type RefusedField,
} from './request-fields.ts'
import { thinkingOf } from './thinking-fields.ts'

export interface ResponseCall {
  /** The new input; what is referred to is looked up by the caller. */
  input: (ConversationItem | ItemReference)[]
  instructions: string | null
  previousId?: string
  /** The request without the conversation; `withConversation` puts it in. */
  request: Omit<GenerateRequest, 'prompt'>
  prompt: Omit<Extract<GenerateRequest['prompt'], { type: 'messages' }>, 'messages' | 'type'>
  /** The reply before anything was generated. */
  reply: Response
  stream: boolean
  obfuscate: boolean
  /** Thoughts are given back sealed as well. */
  sealsThoughts: boolean
  /** What the caller calls the tools. */
  names: CallNames
  ignored: string[]
}

const REFUSED: Readonly<Record<string, RefusedField>> = {
  prompt: { reason: 'there are no prompt templates here; send instructions and input' },
  conversation: { reason: 'there are no conversation objects here; use previous_response_id' },
  context_management: { reason: 'nothing is compacted here; use "truncation": "auto"' },
  moderation: { reason: 'there is no moderation model here' },
}

/** They name tools that cannot have been used, so there is nothing to include. */
const EMPTY_INCLUDES = new Set([
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
])
const SEALED_THOUGHTS = 'reasoning.encrypted_content'
const LOGPROBS = 'message.output_text.logprobs'

export interface ParseOptions {
  /** Of the response, `resp_…`. */
  id: string
  newId(): string
  /** Seconds since 1970. */
  createdAt: number
}

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseResponse(body: unknown, { id, newId, createdAt }: ParseOptions): ResponseCall {
  const asked = parseBody(ResponseRequestSchema, body)
  refuseFields(asked, REFUSED)
  checkTogether(asked)
  const include = includesOf(asked.include)
  const tools = responseTools(asked)
  return {
    input: inputItemsOf(asked.input, newId),
    instructions: asked.instructions ?? null,
    ...compact({ previousId: asked.previous_response_id }),
    request: {
      id,
      model: asked.model,
      sampling: samplingOf(asked),
      stop: stopOf(asked.stop),
      ignoreEos: asked.ignore_eos ?? false,
      choices: 1,
      deterministic: asked.deterministic ?? false,
      reasoning: 'split',
      ...compact({
        output: responseOutput(asked),
        toolChoice: tools.toolChoice,
        parallelToolCalls: tools.tools.length > 0 ? asked.parallel_tool_calls : undefined,
        thinkingTokens: asked.max_thinking_tokens,
        language: asked.language,
        truncation: asked.truncation,
        maxTokens: asked.max_output_tokens,
        logprobs: include.has(LOGPROBS) || asked.top_logprobs ? (asked.top_logprobs ?? 0) : undefined,
        keepAlive: keepAliveOf(asked.keep_alive),
        background: tierOf(asked.service_tier) === 'flex' || undefined,
      }),
    },
    prompt: compact({
      tools: tools.tools.length > 0 ? tools.tools : undefined,
      thinking: thinkingOf({ reasoning_effort: asked.reasoning?.effort, chat_template_kwargs: asked.chat_template_kwargs }),
      templateVariables: asked.chat_template_kwargs,
    }),
    reply: replyOf(asked, { id, createdAt, tools: tools.wire }),
    stream: asked.stream ?? false,
    obfuscate: streamOptionsOf(asked).obfuscate,
    sealsThoughts: include.has(SEALED_THOUGHTS),
    names: tools.names,
    ignored: [...ignoredOf(asked), ...tools.ignored],
  }
}

/** Throws `invalid-field` when there is nothing to answer. */
export function withConversation(call: ResponseCall, messages: Message[]): GenerateRequest {
  if (messages.length === 0) throw new AppError('invalid-field', { field: 'input', reason: 'there is nothing to answer' })
  return { ...call.request, prompt: { type: 'messages', messages, ...call.prompt } }
}

function checkTogether(asked: ResponseRequest): void {
  if (asked.background && asked.store === false)
    throw new AppError('invalid-field', { field: 'background', reason: 'a background response must be stored; leave out "store": false' })
  if (!isShallow(asked.chat_template_kwargs))
    throw new AppError('invalid-field', { field: 'chat_template_kwargs', reason: 'nested too deep' })
  const { verbosity } = asked.text ?? {}
  if (verbosity && verbosity !== 'medium')
    throw new AppError('unsupported-field', { field: 'text.verbosity', reason: 'say in the instructions how long the answer should be' })
}

function includesOf(include: ResponseRequest['include']): Set<string> {
  const all = new Set(include ?? [])
  const index = (include ?? []).findIndex((name) => name !== SEALED_THOUGHTS && name !== LOGPROBS && !EMPTY_INCLUDES.has(name))
  if (index >= 0) {
    const reason = `expected one of ${[SEALED_THOUGHTS, LOGPROBS, ...EMPTY_INCLUDES].join(', ')}`
    throw new AppError('invalid-field', { field: `include[${index}]`, reason })
  }
  return all
}

function responseOutput(asked: ResponseRequest): OutputFormat | undefined {
  const format = wireFormat(asked)
  const grammar = outputOf({ grammar: asked.grammar })
  if (grammar && format.type !== 'text')
    throw new AppError('invalid-field', { field: 'text.format', reason: 'it cannot be used together with "grammar"' })
  if (format.type === 'text') return grammar
  return format.type === 'json_object' ? { type: 'json-object' } : { type: 'json-schema', schema: format.schema, name: format.name }
}

function wireFormat({ text }: ResponseRequest): Response['text']['format'] {
  const format = text?.format
  switch (format?.type) {
    case undefined:
    case 'text':
      return { type: 'text' }
    case 'json_object':
      return { type: 'json_object' }
    case 'json_schema': {
      const { name, schema, strict, description } = format
      if (!name) throw new AppError('invalid-field', { field: 'text.format.name', reason: 'expected a name' })
      if (!schema) throw new AppError('invalid-field', { field: 'text.format.schema', reason: 'expected a JSON Schema' })
      checkJsonSchema(schema, 'text.format.schema')
      return { type: 'json_schema', name, schema, strict: strict ?? false, ...compact({ description }) }
    }
    default:
      throw new AppError('invalid-field', { field: 'text.format.type', reason: 'expected text, json_object or json_schema' })
  }
}

function replyOf(
  asked: ResponseRequest,
  { id, createdAt, tools }: { id: string; createdAt: number; tools: Pick<Response, 'tools' | 'tool_choice'> },
): Response {
  const background = asked.background ?? false
  return {
    id,
    object: 'response',
    created_at: createdAt,
    status: background ? 'queued' : 'in_progress',
    completed_at: null,
    background,
    error: null,
    incomplete_details: null,
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    max_tool_calls: asked.max_tool_calls ?? null,
    model: asked.model,
    output: [],
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    previous_response_id: asked.previous_response_id ?? null,
    prompt_cache_key: asked.prompt_cache_key ?? null,
    reasoning: {
      effort: asked.reasoning?.effort ?? null,
      summary: asked.reasoning?.summary ?? asked.reasoning?.generate_summary ?? null,
    },
    safety_identifier: asked.safety_identifier ?? null,
    service_tier: tierOf(asked.service_tier),
    store: asked.store ?? true,
    temperature: asked.temperature ?? null,
    text: { format: wireFormat(asked), verbosity: 'medium' },
    ...tools,
    top_logprobs: asked.top_logprobs ?? 0,
    top_p: asked.top_p ?? null,
    truncation: asked.truncation ?? 'disabled',
    ...compact({ user: asked.user }),
    metadata: asked.metadata ?? {},
  }
}

/** Faster tiers than the default are not there; a summary that should be short is the whole thought all the same. */
function ignoredOf(asked: ResponseRequest): string[] {
  const tier = asked.service_tier ?? 'auto'
  return [
    ...(tier === 'auto' || tier === tierOf(tier) ? [] : ['service_tier']),
    ...(asked.reasoning?.summary === 'concise' ? ['reasoning.summary'] : []),
    ...(asked.max_tool_calls === null || asked.max_tool_calls === undefined ? [] : ['max_tool_calls']),
    ...ignoredFields(asked, ResponseRequestSchema.shape).filter((field) => !Object.hasOwn(REFUSED, field)),
  ]
}
