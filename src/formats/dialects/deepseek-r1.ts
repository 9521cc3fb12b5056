/** DeepSeek R1, R1-0528 and the distills: always think; calls as in V3. */
import type { AnswerDialect } from '../answer-dialect.ts'
import { fencedCalls } from './deepseek-v3.ts'
import { thinkTags } from './think-tags.ts'

export const deepseekR1: AnswerDialect = { name: 'deepseek-r1', thought: { ...thinkTags, assumed: true }, tools: fencedCalls }
