/** Our messages in the shapes that chat templates expect (Hugging Face's: OpenAI's, with `reasoning_content`). */
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
