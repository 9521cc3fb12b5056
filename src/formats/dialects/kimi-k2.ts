/**
 * Kimi K2, and K2 Thinking: a section of calls, each with an id that holds the function's name and the call's number in the conversation.
 * Source: the models' chat templates, as llama.cpp's release of 2026-09-28 has them.
 */
import type { AnswerDialect } from '../answer-dialect.ts'
import type { NamedCallSyntax } from '../tool-syntax.ts'
import { tightThinkTags } from './think-tags.ts'

const calls: NamedCallSyntax = {
  type: 'named',
  begin: '<|tool_calls_section_begin|>',
  callBegin: '<|tool_call_begin|>functions.',
  nameEnd: '<|tool_call_argument_begin|>',
  callEnd: '<|tool_call_end|>',
  separator: '',
  end: '<|tool_calls_section_end|>',
  numbered: true,
  marks: {
    opens: ['<|tool_calls_section_begin|>', '<|tool_call_begin|>'],
    callOpens: ['<|tool_call_begin|>'],
    callCloses: ['<|tool_call_end|>'],
    closes: ['<|tool_calls_section_end|>'],
  },
}

export const kimiK2: AnswerDialect = { name: 'kimi-k2', tools: calls }
export const kimiK2Thinking: AnswerDialect = { name: 'kimi-k2', thought: tightThinkTags, tools: calls }
