/**
 * Tools for models whose template knows nothing of them: the system message tells the rule, earlier calls and results become plain text.
 * The wording follows Hermes and Qwen, which most small models have seen.
 */
import type { Message, Tool } from '../shared/generate.ts'
import { templateTool } from './template-messages.ts'

export function genericToolText(tools: readonly Tool[]): string {
  const list = tools.map((tool) => JSON.stringify(templateTool(tool))).join('\n')
  return `# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
${list}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>`
}

/** The messages with a text about tools at the end of the first system message, which is made when there is none. */
export function withSystemText(messages: readonly Message[], text: string): Message[] {
  const index = messages.findIndex(({ role }) => role === 'system')
  const system = messages[index]
  if (!system) return [{ role: 'system', content: text }, ...messages]
  return messages.with(index, { ...system, content: system.content === '' ? text : `${system.content}\n\n${text}` })
}

/** Calls and results as text, in the generic syntax: results are messages of the user, several in a row are one. */
export function spellOutCalls(messages: readonly Message[]): Message[] {
  const result: Message[] = []
  for (const message of messages) {
    const last = result.at(-1)
    if (message.role !== 'tool') result.push(message.toolCalls?.length ? spelledCall(message) : message)
    else if (last?.role === 'user' && last.content.endsWith(RESULT_END)) last.content += `\n${toolResponse(message)}`
    else result.push({ role: 'user', content: toolResponse(message) })
  }
  return result
}

const RESULT_END = '\n</tool_response>'

function toolResponse({ content }: Message): string {
  return `<tool_response>\n${content}${RESULT_END}`
}

function spelledCall({ toolCalls = [], ...message }: Message): Message {
  const calls = toolCalls.map(({ name, arguments: text }) => {
    const value = text.trim() === '' ? '{}' : text
    return `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${value}}\n</tool_call>`
  })
  return { ...message, content: [message.content, ...calls].filter((part) => part !== '').join('\n') }
}
