/**
 * DeepSeek V2.5, V3, V3-0324: no thoughts; arguments in a fenced block.
 * Source: the models' tokenizer_config.json.
 */
import type { AnswerDialect } from '../answer-dialect.ts'
import type { NamedCallSyntax } from '../tool-syntax.ts'

/** The control tokens, and the spellings that distilled models fall into when they write them as plain text. */
export const callMarks: NamedCallSyntax['marks'] = {
  opens: [
    '<｜tool▁calls▁begin｜>',
    '<｜tool_calls_begin｜>',
    '<｜tool calls begin｜>',
    '<|tool▁calls▁begin|>',
    '<｜tool▁call▁begin｜>',
    '<｜tool_call_begin｜>',
  ],
  callOpens: ['<｜tool▁call▁begin｜>', '<｜tool_call_begin｜>', '<｜tool call begin｜>', '<|tool▁call▁begin|>'],
  callCloses: ['<｜tool▁call▁end｜>', '<｜tool_call_end｜>', '<｜tool call end｜>', '<|tool▁call▁end|>'],
  closes: ['<｜tool▁calls▁end｜>', '<｜tool_calls_end｜>', '<｜tool calls end｜>', '<|tool▁calls▁end|>'],
}

export const fencedCalls: NamedCallSyntax = {
  type: 'named',
  begin: '<｜tool▁calls▁begin｜>',
  callBegin: '<｜tool▁call▁begin｜>function<｜tool▁sep｜>',
  nameEnd: '\n```json\n',
  callEnd: '\n```<｜tool▁call▁end｜>',
  separator: '\n',
  end: '<｜tool▁calls▁end｜>',
  marks: callMarks,
}

export const deepseekV3: AnswerDialect = { name: 'deepseek-v3', tools: fencedCalls }
