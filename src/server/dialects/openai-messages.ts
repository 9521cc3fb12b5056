/** The messages of an OpenAI chat as ours. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Message } from '../../shared/generate.ts'
import type { ChatMessage, ChatRequest } from '../../shared/openai.ts'
import { compact } from './request-fields.ts'

/** Why a kind of content is refused. */
const REFUSED_PARTS: Readonly<Record<string, string>> = {
  image_url: 'this model reads text only; describe the image in words',
  input_image: 'this model reads text only; describe the image in words',
  input_audio: 'this model reads text only; send a transcript',
  video_url: 'this model reads text only',
  file: "this model reads text only; paste the file's text",
}

/** Throws `unsupported-field` or `invalid-field`, naming the part: `messages[1].content[0]`. */
export function messagesOf(chat: Pick<ChatRequest, 'messages' | 'continue_final_message'>): { messages: Message[]; continueLast: boolean } {
  const last = chat.messages.at(-1)
  const continueLast = chat.continue_final_message === true || last?.prefix === true
  if (continueLast && last?.role !== 'assistant') {
    const field = chat.continue_final_message ? 'continue_final_message' : `messages[${chat.messages.length - 1}].prefix`
    throw new AppError('invalid-field', { field, reason: "the last message must be the assistant's" })
  }
  return { messages: chat.messages.map((message, index) => messageOf(message, `messages[${index}]`)), continueLast }
}

function messageOf(message: ChatMessage, field: string): Message {
  const calls = message.tool_calls?.map(({ id, function: { name, arguments: text } }) => ({ id, name, arguments: text }))
  return {
    role: roleOf(message, field),
    content: contentOf(message, field),
    ...compact({
      reasoning: message.reasoning_content ?? message.reasoning,
      name: message.name,
      toolCallId: message.tool_call_id,
      toolCalls: calls && calls.length > 0 ? calls : undefined,
    }),
  }
}

/** No template of an open model knows `developer`: it is OpenAI's newer word for `system`. */
function roleOf({ role }: ChatMessage, field: string): Message['role'] {
  if (role === 'function') throw new AppError('unsupported-field', { field: `${field}.role`, reason: 'use "tool" instead of "function"' })
  return role === 'developer' ? 'system' : role
}

function contentOf({ role, content, refusal, tool_calls: calls }: ChatMessage, field: string): string {
  if (typeof content === 'string') return content
  if (Array.isArray(content)) return content.map((part, index) => partText(part, `${field}.content[${index}]`)).join('\n')
  if (role === 'assistant' && (calls || typeof refusal === 'string')) return refusal ?? ''
  throw new AppError('invalid-field', { field: `${field}.content`, reason: 'expected a text or a list of parts' })
}

type Part = Exclude<ChatMessage['content'], string | null | undefined>[number]

function partText(part: Part, field: string): string {
  if (part.type === 'text' || part.type === 'input_text' || part.type === 'output_text') {
    if (part.text !== undefined) return part.text
    throw new AppError('invalid-field', { field: `${field}.text`, reason: 'expected a text' })
  }
  if (part.type === 'refusal') return part.refusal ?? ''
  const reason = Object.hasOwn(REFUSED_PARTS, part.type) ? REFUSED_PARTS[part.type] : undefined
  if (reason) throw new AppError('unsupported-field', { field, reason: `${part.type}: ${reason}` })
  throw new AppError('invalid-field', { field: `${field}.type`, reason: 'expected text' })
}
