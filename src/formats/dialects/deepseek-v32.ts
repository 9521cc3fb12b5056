/** DeepSeek V3.2 (V3.2-Speciale too, which was not trained to call tools). */
import type { AnswerDialect } from '../answer-dialect.ts'
import { dsmlCalls } from './dsml.ts'
import { tightThinkTags } from './think-tags.ts'

export const deepseekV32: AnswerDialect = { name: 'deepseek-v3.2', thought: tightThinkTags, tools: dsmlCalls('function_calls', '') }
