/** `POST /api/chat`: the request as a GenerateRequest. Pure. The way back is ollama-reply.ts and ollama-stream.ts. */
import { AppError } from '../../shared/errors.ts'
import type { GenerateRequest, Message, Tool } from '../../shared/generate.ts'
import { OllamaChatRequestSchema, type OllamaChatRequest, type OllamaMessage } from '../../shared/ollama/requests.ts'
import { checkJsonSchema } from './json-schema-check.ts'
import { ignoredOptions, ollamaKeepAlive, ollamaThinking, ollamaWishes, refuseImages, showsThoughts } from './ollama-options.ts'
import { compact, ignoredFields, parseBody } from './request-fields.ts'

export interface OllamaCall {
  /** Absent: nothing to answer, so the model is only loaded or unloaded. */
  request?: GenerateRequest
  model: string
  /** Seconds; −1 is for ever. */
  keepAlive?: number
  stream: boolean
  showsThoughts: boolean
  /** The caller insists on thoughts, so a model that has none is an error. */
  wantsThoughts: boolean
  ignored: string[]
}

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseOllamaChat(body: unknown, id: string): OllamaCall {
  const call = parseBody(OllamaChatRequestSchema, body)
  const messages = messagesOf(call.messages ?? [])
  const tools = toolsOf(call.tools ?? [])
  const last = messages.at(-1)
  const continueLast = last?.role === 'assistant' && last.toolCalls === undefined
  const wishes = ollamaWishes(call)
  const prompt: GenerateRequest['prompt'] = {
    type: 'messages',
    messages,
    ...compact({
      tools: tools.length > 0 ? tools : undefined,
      thinking: ollamaThinking(call.think),
      continueLast: continueLast || undefined,
    }),
  }
  return {
    ...(messages.length > 0 ? { request: { id, ...wishes, prompt } } : {}),
    model: call.model,
    ...compact({ keepAlive: ollamaKeepAlive(call.keep_alive) }),
    stream: call.stream ?? true,
    showsThoughts: showsThoughts(call),
    wantsThoughts: Boolean(call.think),
    ignored: [...ignoredFields(call, OllamaChatRequestSchema.shape), ...ignoredOptions(call.options)],
  }
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const

interface Call {
  id: string
  name: string
  answered: boolean
}

/** Their results name the tool, or nothing; ours name the call. */
function messagesOf(messages: readonly OllamaMessage[]): Message[] {
  const calls: Call[] = []
  return messages.map((message, index) => messageOf(message, `messages[${index}]`, calls))
}

function messageOf(message: OllamaMessage, field: string, calls: Call[]): Message {
  refuseImages(message.images, `${field}.images`)
  const role = ROLES.find((one) => one === message.role.toLowerCase())
  if (!role) throw new AppError('invalid-field', { field: `${field}.role`, reason: `expected one of ${ROLES.join(', ')}` })
  const content = message.content ?? ''
  if (role === 'tool') return { role, content, ...resultOf(message, calls) }
  if (role !== 'assistant') return { role, content }
  const made = callsOf(message, calls.length)
  calls.push(...made.map(({ id, name }) => ({ id, name, answered: false })))
  return { role, content, ...compact({ reasoning: message.thinking || undefined, toolCalls: made.length > 0 ? made : undefined }) }
}

function callsOf({ tool_calls: calls }: OllamaMessage, before: number): NonNullable<Message['toolCalls']> {
  return (calls ?? []).map(({ id, function: { name, arguments: input } }, index) => ({
    id: id || `call_${before + index}`,
    name,
    arguments: JSON.stringify(input ?? {}),
  }))
}

/** The call of this id, else the oldest without a result that has this name, else the oldest without a result. */
function resultOf({ tool_call_id: id, tool_name: name }: OllamaMessage, calls: readonly Call[]): Pick<Message, 'toolCallId' | 'name'> {
  const open = calls.filter(({ answered }) => !answered)
  const call = calls.find((one) => id && one.id === id) ?? open.find((one) => name && one.name === name) ?? (name ? undefined : open[0])
  if (call) call.answered = true
  return compact({ toolCallId: call?.id ?? (id || undefined), name: call?.name ?? (name || undefined) })
}

function toolsOf(tools: NonNullable<OllamaChatRequest['tools']>): Tool[] {
  const names = new Set<string>()
  return tools.map(({ type, function: { name, description, parameters } }, index) => {
    const field = `tools[${index}]`
    if (type && type !== 'function') throw new AppError('invalid-field', { field: `${field}.type`, reason: 'expected function' })
    if (names.has(name)) throw new AppError('invalid-field', { field, reason: `there is another tool named ${name}` })
    names.add(name)
    if (parameters) checkJsonSchema(parameters, `${field}.function.parameters`)
    return { name, ...compact({ description, parameters }) }
  })
}
