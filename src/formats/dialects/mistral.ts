/**
 * Mistral: `[TOOL_CALLS][{"name": …, "arguments": …}, …]` up to tokenizer v7, `[TOOL_CALLS]name[ARGS]{…}` for each call from v11 on.
 * Both are read whichever is written. Source: mistral-common's instruct tokenizers and the models' chat templates.
 */
import type { AnswerDialect, ThoughtSyntax } from '../answer-dialect.ts'
import type { JsonCallSyntax, NamedCallSyntax } from '../tool-syntax.ts'

const OPENS = ['[TOOL_CALLS]']

const list: JsonCallSyntax = {
  type: 'json',
  begin: '[TOOL_CALLS][',
  callBegin: '',
  callEnd: '',
  separator: ', ',
  end: ']',
  argumentsKey: 'arguments',
  marks: { opens: OPENS, closes: [] },
  bare: false,
}

const named: NamedCallSyntax = {
  type: 'named',
  begin: '',
  callBegin: '[TOOL_CALLS]',
  nameEnd: '[ARGS]',
  callEnd: '',
  separator: '',
  end: '',
  marks: { opens: OPENS, callOpens: OPENS, callCloses: [], closes: [] },
}

/** Magistral and Ministral 3 Reasoning. */
const thought: ThoughtSyntax = { open: '[THINK]', close: '[/THINK]', forceClose: '[/THINK]' }

export const mistralList: AnswerDialect = { name: 'mistral', tools: list, alsoReads: [named] }
export const mistralNamed: AnswerDialect = { name: 'mistral', tools: named, alsoReads: [list] }
export const mistralThinking: AnswerDialect = { name: 'mistral', thought, tools: named, alsoReads: [list] }
