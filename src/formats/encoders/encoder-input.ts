/** What an encoder of ours is given; the text that comes out begins with BOS. */
import type { Message, Tool } from '../../shared/generate.ts'

export interface EncoderInput {
  bos: string
  eos: string
  messages: readonly Message[]
  tools: readonly Tool[]
  thinking: boolean
  /** What the model's effort rule says, e.g. a text to be put in front. */
  effort: string
  /** False: the last message is the assistant's and goes on. */
  ask: boolean
}

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
