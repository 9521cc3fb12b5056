/** DeepSeek V4.1. */
import type { AnswerDialect } from '../answer-dialect.ts'
import { dsmlCalls } from './dsml.ts'
import { tightThinkTags } from './think-tags.ts'

export const deepseekV41: AnswerDialect = { name: 'deepseek-v4.1', thought: tightThinkTags, tools: dsmlCalls('calls', ' ') }
