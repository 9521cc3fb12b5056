/**
 * DeepSeek V4 and V4.1, which ship no template. Source: encoding/encoding_dsv4.py and encoding_dsv41.py of the models.
 * Tool results become blocks of the next user turn, in the order of the calls. Earlier thoughts are kept when any tool is defined, dropped otherwise
 * (then developer messages before the last question are dropped too).
 */
import type { Message } from '../../shared/generate.ts'
import { dsmlCalls } from '../dialects/dsml.ts'
import type { DsmlSyntax } from '../tool-syntax.ts'
import { callExample, encodeCalls, toolLines } from './dsml-encoder.ts'
import { type EncoderInput, splitThought, withSystemParts } from './encoder-input.ts'

interface Version {
  syntax: DsmlSyntax
  /** V4.1 marks system messages; later ones count as a question. */
  systemMark: string
}

const v4: Version = { syntax: dsmlCalls('tool_calls', ''), systemMark: '' }
const v41: Version = { syntax: dsmlCalls('calls', ' '), systemMark: '<｜System｜>' }

export function encodeDeepseekV4(input: EncoderInput): string {
  return encode(input, v4)
}

export function encodeDeepseekV41(input: EncoderInput): string {
  return encode(input, v41)
}

/** A message after results were merged into user turns. */
interface Turn {
  role: 'system' | 'developer' | 'user' | 'assistant'
  text: string
  thought: string
  calls: NonNullable<Message['toolCalls']>
}

function encode(input: EncoderInput, version: Version): string {
  const turns = mergeTurns(withSystemParts(input, input.tools.length > 0 ? toolsText(version.syntax, toolLines(input.tools)) : undefined))
  const drops = input.thinking && input.tools.length === 0
  const kept = drops ? turns.filter((turn, index) => turn.role !== 'developer' || index >= lastQuestion(turns, version)) : turns
  const last = lastQuestion(kept, version)
  return input.bos + kept.map((turn, index) => renderTurn(turn, { index, last, drops, turns: kept, input, version })).join('')
}

interface Place {
  index: number
  /** Of the last question. */
  last: number
  drops: boolean
  turns: readonly Turn[]
  input: EncoderInput
  version: Version
}

function renderTurn(turn: Turn, place: Place): string {
  const { index, input, version } = place
  const effort = index === 0 && input.thinking ? input.effort : ''
  const lead = index === 0 && (effort !== '' || turn.role === 'system') ? version.systemMark : ''
  return lead + effort + turnText(turn, place) + transition(turn, place)
}

function turnText(turn: Turn, { index, last, drops, turns, input, version }: Place): string {
  switch (turn.role) {
    case 'system':
      return (index > 0 ? version.systemMark : '') + turn.text
    case 'user':
    case 'developer':
      return `<｜User｜>${turn.text}`
    case 'assistant': {
      const keeps = input.thinking && (!drops || index > last)
      const goesOn = !input.ask && index === turns.length - 1
      return (keeps ? `${turn.thought}</think>` : '') + turn.text + encodeCalls(version.syntax, turn.calls) + (goesOn ? '' : input.eos)
    }
  }
}

/** Behind a question, where the assistant speaks next. */
function transition(turn: Turn, { index, last, drops, turns, input, version }: Place): string {
  const next = turns[index + 1]
  if (next && next.role !== 'assistant') return ''
  if (!isQuestion(turn, index, version)) return ''
  const thinks = input.thinking && (!drops || index >= last)
  return `<｜Assistant｜>${thinks ? '<think>' : '</think>'}`
}

function isQuestion({ role }: Turn, index: number, version: Version): boolean {
  return role === 'user' || role === 'developer' || (role === 'system' && index > 0 && version.systemMark !== '')
}

function lastQuestion(turns: readonly Turn[], version: Version): number {
  return turns.findLastIndex((turn, index) => isQuestion(turn, index, version))
}

function mergeTurns(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = []
  let calls: readonly { id: string }[] = []
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index]
    if (!message) continue
    if (message.role === 'assistant') calls = message.toolCalls ?? []
    if (message.role !== 'tool') {
      addTurn(turns, message)
      continue
    }
    const end = messages.findIndex((other, place) => place > index && other.role !== 'tool')
    const results = messages.slice(index, end < 0 ? undefined : end)
    for (const result of inOrder(results, calls)) addUserText(turns, `<tool_result>${result.content}</tool_result>`)
    index += results.length - 1
  }
  return turns
}

function inOrder(results: readonly Message[], calls: readonly { id: string }[]): Message[] {
  const place = ({ toolCallId }: Message): number =>
    Math.max(
      0,
      calls.findIndex(({ id }) => id === toolCallId),
    )
  return results.toSorted((a, b) => place(a) - place(b))
}

function addTurn(turns: Turn[], message: Message): void {
  if (message.role === 'user') return addUserText(turns, message.content)
  if (message.role === 'tool') return
  const { thought, answer } = message.role === 'assistant' ? splitThought(message) : { thought: '', answer: message.content }
  turns.push({ role: message.role, text: answer, thought, calls: message.toolCalls ?? [] })
}

function addUserText(turns: Turn[], text: string): void {
  const last = turns.at(-1)
  if (last?.role === 'user') last.text += `\n\n${text}`
  else turns.push({ role: 'user', text, thought: '', calls: [] })
}

function toolsText(syntax: DsmlSyntax, lines: string): string {
  return `## Tools

You have access to a set of tools to help answer the user's question. You can invoke tools by writing a "<${syntax.tag}${syntax.block}>" block like the following:

${callExample(syntax, { tool: 'TOOL', parameter: 'PARAMETER' })}

String parameters should be specified as is and set \`string="true"\`. For all other types (numbers, booleans, arrays, objects), pass the value in JSON format and set \`string="false"\`.

If thinking_mode is enabled (triggered by <think>), you MUST output your complete reasoning inside <think>...</think> BEFORE any tool calls or final response.

Otherwise, output directly after </think> with tool calls or final response.

### Available Tool Schemas

${lines}

You MUST strictly follow the above defined tool name and parameter schemas to invoke tool calls.
`
}
