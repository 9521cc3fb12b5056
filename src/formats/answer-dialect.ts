/** A model family's rules for what it writes. Plain data. */
import type { ToolSyntax } from './tool-syntax.ts'

export const DIALECT_NAMES = [
  'deepseek-r1',
  'deepseek-v3',
  'deepseek-v3.1',
  'deepseek-v3.2',
  'deepseek-v4',
  'deepseek-v4.1',
  'qwen3',
  'qwen3-coder',
  'glm',
  'kimi-k2',
  'hermes',
  'llama3',
  'mistral',
  'gpt-oss',
  'generic',
] as const
export type DialectName = (typeof DIALECT_NAMES)[number]

/**
 * The marks must reach the parser: the engine turns control tokens such as `<｜tool▁call▁begin｜>` or `<|channel|>` into their texts
 * (end-of-generation tokens excepted).
 */
export interface AnswerDialect {
  name: DialectName
  /** Absent: the model does not think aloud. */
  thought?: ThoughtSyntax
  tools: ToolSyntax
  /** Other syntaxes that the model may fall into. */
  alsoReads?: readonly ToolSyntax[]
}

export interface ThoughtSyntax {
  open: string
  close: string
  /** What is written for the model to end its thought early, so that the answer follows. */
  forceClose: string
  /** The model always thinks first: an answer that does not open the thought has left the tag out (R1). */
  assumed?: boolean
}
