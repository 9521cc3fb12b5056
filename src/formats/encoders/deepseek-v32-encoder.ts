/**
 * DeepSeek V3.2, which ships no template. Source: encoding/encoding_dsv32.py of the model.
 * Thoughts of turns before the last question are dropped; within the current turn (tool calls and results) they stay.
 */
import type { Message } from '../../shared/generate.ts'
import { deepseekV32 } from '../dialects/deepseek-v32.ts'
import { dsmlCalls } from '../dialects/dsml.ts'
import { callExample, encodeCalls, toolLines } from './dsml-encoder.ts'
import { type EncoderInput, lastIndexOfRole, splitThought, withSystemParts } from './encoder-input.ts'

const syntax = dsmlCalls('function_calls', '')
const { open = '<think>', close = '</think>' } = deepseekV32.thought ?? {}

export function encodeDeepseekV32(input: EncoderInput): string {
  const messages = withSystemParts(input, input.tools.length > 0 ? toolsText(toolLines(input.tools)) : undefined)
  const lastUser = lastIndexOfRole(messages, ['user', 'developer'])
  return input.bos + messages.map((_, index) => renderMessage({ ...input, messages }, index, lastUser)).join('')
}

function renderMessage(input: EncoderInput, index: number, lastUser: number): string {
  const { messages, thinking } = input
  const message = messages[index]
  if (!message) return ''
  const tag = (on: boolean): string => (on ? open : close)
  switch (message.role) {
    case 'system':
      return message.content
    case 'user':
      return `<｜User｜>${message.content}<｜Assistant｜>${tag(index === lastUser && thinking)}`
    case 'developer':
      return `<｜User｜>\n\n# The user's message is: ${message.content}<｜Assistant｜>${tag(index === lastUser && thinking)}`
    case 'tool':
      return (
        renderResult(messages, index) +
        (endsResults(messages, index) ? `\n</function_results>\n\n${tag(index >= lastUser && thinking)}` : '')
      )
    case 'assistant':
      return renderAnswer(input, message, index, index > lastUser && thinking)
  }
}

function renderResult(messages: readonly Message[], index: number): string {
  const first = messages[index - 1]?.role !== 'tool'
  return `${first ? '\n\n<function_results>' : ''}\n<result>${messages[index]?.content ?? ''}</result>`
}

function endsResults(messages: readonly Message[], index: number): boolean {
  return messages[index + 1]?.role !== 'tool'
}

function renderAnswer({ messages, eos, ask }: EncoderInput, message: Message, index: number, keepsThought: boolean): string {
  const { thought, answer } = splitThought(message)
  const goesOn = !ask && index === messages.length - 1
  return (keepsThought ? thought + close : '') + answer + encodeCalls(syntax, message.toolCalls ?? []) + (goesOn ? '' : eos)
}

function toolsText(lines: string): string {
  return `## Tools
You have access to a set of tools you can use to answer the user's question.
You can invoke functions by writing a "<｜DSML｜function_calls>" block like the following as part of your reply to the user:
${callExample(syntax, { tool: 'FUNCTION', parameter: 'PARAMETER' })}
String and scalar parameters should be specified as is without any escaping or quotes, while lists and objects should use JSON format. The "string" attribute should be set to "true" for string type parameters and "false" for other types (numbers, booleans, arrays, objects).
If the thinking_mode is enabled, then after function results you should strongly consider outputting a thinking block. Here is an example:
<｜DSML｜function_calls>
...
</｜DSML｜function_calls>
<function_results>
...
</function_results>
${open}...thinking about results${close}
Here are the functions available in JSONSchema format:
<functions>
${lines}
</functions>
`
}
