/** What an answer is read into, and what its reader is told. */
import type { Tool, ToolChoice } from '../shared/generate.ts'
import type { AnswerDialect } from './answer-dialect.ts'

export type AnswerPiece =
  | { type: 'reasoning'; text: string }
  | { type: 'text'; text: string }
  /** `call` counts from 0. */
  | { type: 'call-begin'; call: number; id: string; name: string }
  | { type: 'call-arguments'; call: number; text: string }
  /** All `call-arguments` of the call together are valid JSON now. `repaired`: they are not what the model wrote to the letter. */
  | { type: 'call-end'; call: number; repaired: boolean }

export interface AnswerParser {
  /** What is certain after this piece. */
  push(text: string): AnswerPiece[]
  /** What was held back. Afterwards nothing may be pushed. */
  end(): AnswerPiece[]
  readonly state: AnswerState
  /** Nothing that still comes can change the answer: whoever generates may stop. */
  readonly isOver: boolean
}

export type AnswerState = 'thinking' | 'answer' | 'calling'

export interface AnswerParserOptions {
  dialect: AnswerDialect
  opensThought: boolean
  mayThink: boolean
  tools: readonly Tool[]
  toolChoice?: ToolChoice
  /** false: the answer is over with its first call; what the model goes on with is dropped. */
  parallelToolCalls?: boolean
  /** false: thoughts stay in the text, with their tags. */
  split: boolean
  newId(): string
}
