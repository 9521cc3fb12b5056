/** The nouns of a conversation in this browser. Times are ms since 1970, durations ms. */
import type { WireError } from '../../../src/shared/generate.ts'
import type { Waiting } from '../../../src/shared/openai.ts'

export interface ChatSettings {
  system: string
  /** Absent: the model's default. */
  temperature?: number
  maxTokens?: number
}

export interface Chat {
  id: string
  /** Empty until the first question. */
  title: string
  /** The reader named it: the first question no longer does. */
  renamed?: boolean
  model?: string
  settings: ChatSettings
  createdAt: number
  updatedAt: number
  messageIds: readonly string[]
}

export interface UserMessage {
  id: string
  role: 'user'
  content: string
}

export const ANSWER_STATES = ['waiting', 'streaming', 'done', 'stopped', 'interrupted', 'failed'] as const
export type AnswerState = (typeof ANSWER_STATES)[number]

export interface AnswerStats {
  /** From sending to the first text, as the reader met it. */
  firstTokenMs?: number
  tokensPerSecond?: number
  promptTokens?: number
  cachedTokens?: number
  completionTokens?: number
}

export interface AssistantMessage {
  id: string
  role: 'assistant'
  content: string
  thoughts: string
  /** When the first thought came; absent without thoughts. */
  thinkingSince?: number
  /** The server's id of the request, while it thinks. */
  requestId?: string
  /** Set when the thoughts have ended. */
  thoughtMs?: number
  model: string
  state: AnswerState
  waiting?: Waiting
  error?: WireError
  /** The answer ended because of the limit of tokens. */
  cutOff?: boolean
  stats?: AnswerStats
}

export type Message = UserMessage | AssistantMessage

export function isAnswering(message: Message | undefined): boolean {
  return message?.role === 'assistant' && (message.state === 'waiting' || message.state === 'streaming')
}

/** A question without the empty lines around it. Of several lines the first keeps its indentation: it may be code. */
export function trimLines(question: string): string {
  const text = question.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd()
  return text.includes('\n') ? text : text.trimStart()
}

/** The first line of a question, short enough for the side list. */
export function titleOf(question: string): string {
  const line = question.trim().split('\n', 1)[0] ?? ''
  const characters = [...line]
  return characters.length > 60 ? `${characters.slice(0, 60).join('')}…` : line
}
