/** Tools and calls in DeepSeek's markup, as the prompt shows them. Source: encoding/encoding_dsv32.py, encoding_dsv4.py, encoding_dsv41.py. */
import type { Message, Tool } from '../../shared/generate.ts'
import { isRecord } from '../parse/repair-json.ts'
import type { DsmlSyntax } from '../tool-syntax.ts'
import { pythonJson } from './python-json.ts'

export type ToolCall = NonNullable<Message['toolCalls']>[number]

/** The block of an earlier turn's calls, with the blank line in front of it. */
export function encodeCalls({ tag, begin, end }: DsmlSyntax, calls: readonly ToolCall[]): string {
  if (calls.length === 0) return ''
  const invokes = calls.map((call) => `<${tag}invoke name="${call.name}">\n${encodeArguments(tag, call.arguments)}\n</${tag}invoke>`)
  return begin + invokes.join('\n') + end
}

/** One JSON object a line: name, description, parameters. */
export function toolLines(tools: readonly Tool[]): string {
  return tools
    .map(({ name, description, parameters }) =>
      pythonJson({ name, description, parameters: parameters ?? { type: 'object', properties: {} } }),
    )
    .join('\n')
}

/** How a call looks, for the explanation in the system message. */
export function callExample({ tag, block }: DsmlSyntax, names: { tool: string; parameter: string }): string {
  return `<${tag}${block}>
<${tag}invoke name="$${names.tool}_NAME">
<${tag}parameter name="$${names.parameter}_NAME" string="true|false">$${names.parameter}_VALUE</${tag}parameter>
...
</${tag}invoke>
<${tag}invoke name="$${names.tool}_NAME2">
...
</${tag}invoke>
</${tag}${block}>`
}

function encodeArguments(tag: string, text: string): string {
  return Object.entries(parseArguments(text))
    .map(([name, value]) => {
      const isString = typeof value === 'string'
      return `<${tag}parameter name="${name}" string="${isString}">${isString ? value : pythonJson(value)}</${tag}parameter>`
    })
    .join('\n')
}

/** Broken JSON is shown as one argument, as the official encoder does. */
function parseArguments(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text)
    return isRecord(value) ? value : { arguments: value }
  } catch {
    return { arguments: text }
  }
}
