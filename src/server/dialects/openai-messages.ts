/** The messages of an OpenAI chat as ours. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Message } from '../../shared/generate.ts'
import type { ChatMessage, ChatRequest } from '../../shared/openai.ts'
import { compact } from './request-fields.ts'

/** Why a kind of content is refused. */
const REFUSED_PARTS: Readonly<Record<string, string>> = {
  image_url: 'this model reads text only; describe the image in words',
  input_image: 'this model reads text only; describe the image in words',
  image: 'this model reads text only; describe the image in words',
  input_audio: 'this model reads text only; send a transcript',
  audio_url: 'this model reads text only; send a transcript',
  video_url: 'this model reads text only',
  file: "this model reads text only; paste the file's text",
  input_file: "this model reads text only; paste the file's text",
}

/** Throws `unsupported-field` or `invalid-field`, naming the part: `messages[1].content[0]`. */
export function messagesOf(chat: Pick<ChatRequest, 'messages' | 'continue_final_message'>): { messages: Message[]; continueLast: boolean } {
  const last = chat.messages.at(-1)
  const continueLast = chat.continue_final_message === true || last?.prefix === true
  if (continueLast && last?.role !== 'assistant') {
    const field = chat.continue_final_message ? 'continue_final_message' : `messages[${chat.messages.length - 1}].prefix`
    throw invalid(field, "the last message must be the assistant's")
  }
  const calls = new CallBook()
  return { messages: chat.messages.map((message, index) => messageOf(message, `messages[${index}]`, calls)), continueLast }
}

/** Which calls have been made so far, so that every result finds its own. */
class CallBook {
  readonly #ids = new Set<string>()
  readonly #legacy = new Map<string, string>()

  add(id: string): void {
    this.#ids.add(id)
  }

  /** The old `function_call` has no id: it gets one, which the result with the same name will look for. */
  addLegacy(name: string): string {
    const id = `call_legacy_${this.#ids.size}`
    this.#ids.add(id)
    this.#legacy.set(name, id)
    return id
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  legacyId(name: string): string | undefined {
    return this.#legacy.get(name)
  }
}

function messageOf(message: ChatMessage, field: string, calls: CallBook): Message {
  if (message.audio !== undefined && message.audio !== null) {
    throw new AppError('unsupported-field', {
      field: `${field}.audio`,
      reason: 'this model reads text only; send the transcript as content',
    })
  }
  const toolCalls = message.role === 'assistant' ? callsOf(message, field, calls) : []
  return {
    role: message.role === 'function' ? 'tool' : message.role,
    content: contentOf(message, field),
    ...compact({
      reasoning: message.reasoning_content ?? message.reasoning,
      name: message.name,
      toolCallId: resultIdOf(message, field, calls),
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
    }),
  }
}

type Call = NonNullable<Message['toolCalls']>[number]

function callsOf({ tool_calls: calls, function_call: legacy }: ChatMessage, field: string, book: CallBook): Call[] {
  if (legacy) return [{ id: book.addLegacy(legacy.name), name: legacy.name, arguments: legacy.arguments }]
  return (calls ?? []).map(({ id, type, function: called }, index) => {
    if (!called || (type ?? 'function') !== 'function') throw invalid(`${field}.tool_calls[${index}].type`, 'expected function')
    book.add(id)
    return { id, name: called.name, arguments: called.arguments }
  })
}

function resultIdOf({ role, name, tool_call_id: id }: ChatMessage, field: string, book: CallBook): string | undefined {
  if (role === 'function') {
    const found = name ? book.legacyId(name) : undefined
    if (found === undefined) throw invalid(`${field}.name`, 'no function_call before it has this name')
    return found
  }
  if (role !== 'tool') return undefined
  if (!id) throw invalid(`${field}.tool_call_id`, 'expected the id of the call that this is the result of')
  if (!book.has(id)) throw invalid(`${field}.tool_call_id`, 'no tool_calls before it has this id')
  return id
}

function contentOf(message: ChatMessage, field: string): string {
  const { role, content, refusal, tool_calls: calls, function_call: legacy, reasoning_content: thought } = message
  if (typeof content === 'string') return content
  if (Array.isArray(content)) return content.map((part, index) => partText(part, `${field}.content[${index}]`)).join('\n')
  // A turn that was cut off in its thoughts has no content either.
  const isExcused = (calls && calls.length > 0) || legacy || typeof refusal === 'string' || typeof thought === 'string'
  if (role === 'assistant' && isExcused) return refusal ?? ''
  throw invalid(`${field}.content`, 'expected a text or a list of parts')
}

type Part = Exclude<ChatMessage['content'], string | null | undefined>[number]

function partText(part: Part, field: string): string {
  if (part.type === 'text' || part.type === 'input_text' || part.type === 'output_text') {
    if (part.text !== undefined) return part.text
    throw invalid(`${field}.text`, 'expected a text')
  }
  if (part.type === 'refusal') return part.refusal ?? ''
  const reason = Object.hasOwn(REFUSED_PARTS, part.type) ? REFUSED_PARTS[part.type] : undefined
  if (reason) throw new AppError('unsupported-field', { field, reason: `${part.type}: ${reason}` })
  throw invalid(`${field}.type`, 'expected text')
}

function invalid(field: string, reason: string): AppError {
  return new AppError('invalid-field', { field, reason })
}
