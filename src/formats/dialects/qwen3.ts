/** Qwen 3, QwQ and others that think between tags and call tools as Hermes does. */
import type { AnswerDialect } from '../answer-dialect.ts'
import { taggedCalls } from './hermes.ts'
import { thinkTags } from './think-tags.ts'

export const qwen3: AnswerDialect = { name: 'qwen3', thought: thinkTags, tools: taggedCalls }
