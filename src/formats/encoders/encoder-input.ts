/** What an encoder of ours is given; the text that comes out begins with BOS. */
import type { Message, Tool } from '../../shared/generate.ts'
import { pythonJson } from './python-json.ts'

export interface EncoderInput {
  bos: string
  eos: string
  messages: readonly Message[]
  tools: readonly Tool[]
  thinking: boolean
  /** The schema of the answer, which is told the model. */
  responseFormat?: unknown
  /** What the model's effort rule says, e.g. a text to be put in front. */
  effort: string
  /** False: the last message is the assistant's and goes on. */
  ask: boolean
}

/**
 * The messages with what belongs to the system message behind its text: tools, then the form of the answer. One is made when there is none.
 * Source: encoding/encoding_dsv32.py and encoding_dsv4.py of the models.
 */
export function withSystemParts({ messages, responseFormat }: EncoderInput, toolsText: string | undefined): readonly Message[] {
  const format = responseFormat === undefined ? undefined : `${RESPONSE_FORMAT}${pythonJson(responseFormat)}`
  const parts = [toolsText, format].filter((part) => part !== undefined)
  if (parts.length === 0) return messages
  const [first, ...rest] = messages
  const system = first?.role === 'system' ? first : undefined
  return [{ role: 'system', content: [system?.content ?? '', ...parts].join('\n\n') }, ...(system ? rest : messages)]
}

const RESPONSE_FORMAT = '## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n'

/** The reasoning apart, also where a client sent it inside of the content. */
export function splitThought(message: Message): { thought: string; answer: string } {
  const end = message.content.lastIndexOf('</think>')
  if (end < 0) return { thought: message.reasoning ?? '', answer: message.content }
  const begin = message.content.indexOf('<think>')
  const thought = message.content.slice(begin < 0 || begin > end ? 0 : begin + '<think>'.length, end).trim()
  return { thought: message.reasoning ?? thought, answer: message.content.slice(end + '</think>'.length).trimStart() }
}

export function lastIndexOfRole(messages: readonly { role: string }[], roles: readonly string[]): number {
  return messages.findLastIndex(({ role }) => roles.includes(role))
}
