/** Hermes and Qwen 2.5: `<tool_call>{"name": …, "arguments": …}</tool_call>`. Source: the models' chat templates. */
import type { AnswerDialect } from '../answer-dialect.ts'
import type { JsonCallSyntax } from '../tool-syntax.ts'

export const taggedCalls: JsonCallSyntax = {
  type: 'json',
  begin: '',
  callBegin: '<tool_call>\n',
  callEnd: '\n</tool_call>',
  separator: '\n',
  end: '',
  argumentsKey: 'arguments',
  marks: { opens: ['<tool_call>'], closes: ['</tool_call>'] },
  bare: true,
}

export const hermes: AnswerDialect = { name: 'hermes', tools: taggedCalls }
