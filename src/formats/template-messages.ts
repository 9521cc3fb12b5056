/** Our messages in the shapes that chat templates expect (Hugging Face's: OpenAI's, with `reasoning_content`). */
import { createHash } from 'node:crypto'
import type { Message, Tool } from '../shared/generate.ts'

/**
 * Templates disagree about an assistant turn that only calls tools: is `content` absent (null) or empty, are the arguments an object or JSON text.
 * In the order to try; the first fits nearly all.
 */
export interface ToolCallShape {
  emptyContent: '' | null
  arguments: 'object' | 'text'
}

export const TOOL_CALL_SHAPES: readonly ToolCallShape[] = [
  { emptyContent: '', arguments: 'object' },
  { emptyContent: null, arguments: 'text' },
  { emptyContent: null, arguments: 'object' },
  { emptyContent: '', arguments: 'text' },
]

/** Keys are present only when they mean something, since templates ask `'tool_calls' in message`. */
export function templateMessage(message: Message, shape: ToolCallShape): Record<string, unknown> {
  const { role, content, name, toolCallId, toolCalls, reasoning } = message
  const calls = toolCalls?.length ? toolCalls : undefined
  return {
    role,
    content: calls && content === '' ? shape.emptyContent : content,
    ...(name === undefined ? {} : { name }),
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
    // Three spellings of the same: most models, a few, gpt-oss. A template that knows none drops earlier thoughts, as R1's wants.
    ...(reasoning ? { reasoning_content: reasoning, reasoning, thinking: reasoning } : {}),
    ...(calls
      ? {
          tool_calls: calls.map((call) => ({
            id: call.id,
            type: 'function',
            function: { name: call.name, arguments: shape.arguments === 'object' ? parseArguments(call.arguments) : call.arguments },
          })),
        }
      : {}),
  }
}

export function templateTool(tool: Tool): Record<string, unknown> {
  const { name, description, parameters } = tool
  return {
    type: 'function',
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      parameters: parameters ?? { type: 'object', properties: {} },
    },
  }
}

/** The system text goes in front of the first user message: for templates that refuse the system role. Undefined when there is nothing to merge. */
export function mergeSystemMessage(messages: readonly Message[]): Message[] | undefined {
  const [first, second, ...rest] = messages
  if (first?.role !== 'system' || second?.role !== 'user') return undefined
  return [{ ...second, content: `${first.content}\n\n${second.content}` }, ...rest]
}

/** The system text goes in front of the last user message, where Mistral's templates put it. Undefined when there is none. */
export function moveSystemMessage([system, ...rest]: readonly Message[]): Message[] | undefined {
  const index = rest.findLastIndex(({ role }) => role === 'user')
  const user = rest[index]
  return system && user && rest.with(index, { ...user, content: `${system.content}\n\n${user.content}` })
}

/** For templates without a developer role: it ranks as a system message; several in a row at the beginning are one, since most templates read one. */
export function leadingSystemAsOne(messages: readonly Message[]): Message[] {
  const known = messages.map((message): Message => (message.role === 'developer' ? { ...message, role: 'system' } : message))
  const end = known.findIndex(({ role }) => role !== 'system')
  const leading = known.slice(0, end < 0 ? undefined : end)
  const [first] = leading
  if (!first || leading.length === 1) return known
  return [{ ...first, content: leading.map(({ content }) => content).join('\n\n') }, ...known.slice(leading.length)]
}

/** Nine letters and digits, as Mistral's templates demand; the same id always becomes the same. */
export function shortCallIds(messages: readonly Message[]): Message[] {
  return messages.map(({ toolCalls, toolCallId, ...message }) => ({
    ...message,
    ...(toolCalls ? { toolCalls: toolCalls.map((call) => ({ ...call, id: shortId(call.id) })) } : {}),
    ...(toolCallId === undefined ? {} : { toolCallId: shortId(toolCallId) }),
  }))
}

function shortId(id: string): string {
  if (/^[a-zA-Z0-9]{9}$/.test(id)) return id
  return createHash('sha256').update(id).digest('hex').slice(0, 9)
}

/** Whether the text still names every tool that was called: some templates drop the calls of a shape that they do not know, or print it badly. */
export function keepsToolCalls(text: string, messages: readonly Message[]): boolean {
  const calls = messages.flatMap((message) => message.toolCalls ?? [])
  return calls.every((call) => text.includes(call.name)) && (!text.includes('[object ') || JSON.stringify(messages).includes('[object '))
}

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A model may have written broken JSON; its own text is the best that is left.
    return text
  }
}
