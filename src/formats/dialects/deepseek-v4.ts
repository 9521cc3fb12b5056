/** DeepSeek V4, preview and general availability (0731, 0813). */
import type { AnswerDialect } from '../answer-dialect.ts'
import { dsmlCalls } from './dsml.ts'
import { tightThinkTags } from './think-tags.ts'

export const deepseekV4: AnswerDialect = { name: 'deepseek-v4', thought: tightThinkTags, tools: dsmlCalls('tool_calls', '') }
