/** Any other model: it is told the rule in the system message (generic-tools.ts), and may forget the tags. */
import type { AnswerDialect } from '../answer-dialect.ts'
import type { JsonCallSyntax } from '../tool-syntax.ts'
import { taggedCalls } from './hermes.ts'
import { thinkTags } from './think-tags.ts'

export const genericCalls: JsonCallSyntax = taggedCalls

export const generic: AnswerDialect = { name: 'generic', tools: genericCalls }
export const genericThinking: AnswerDialect = { name: 'generic', thought: thinkTags, tools: genericCalls }
