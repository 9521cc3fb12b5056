/**
 * Qwen3-Coder, and Qwen 3.5, which thinks too: `<function=NAME>` with an element for each parameter, whose text stands on lines of its own.
 * Earlier JSON calls are still understood. Source: the models' chat templates, as llama.cpp's release of 2026-09-28 has them.
 */
import type { AnswerDialect } from '../answer-dialect.ts'
import type { ElementCallSyntax } from '../tool-syntax.ts'
import { taggedCalls } from './hermes.ts'
import { thinkTags } from './think-tags.ts'

const calls: ElementCallSyntax = {
  type: 'elements',
  begin: '',
  callBegin: '<tool_call>\n<function=',
  nameEnd: '>\n',
  parameterBegin: '<parameter=',
  parameterNameEnd: '>\n',
  parameterEnd: '\n</parameter>\n',
  callEnd: '</function>\n</tool_call>',
  separator: '\n',
  end: '',
  python: true,
  ownLines: true,
  marks: {
    // The models often forget the outer tag.
    opens: ['<tool_call>', '<function='],
    callOpens: ['<function='],
    nameEnds: ['>', '\n'],
    keyOpens: ['<parameter='],
    keyEnds: ['>', '\n'],
    valueOpens: [],
    valueCloses: ['</parameter>'],
    valueEdges: ['\n<parameter=', '\n</function>', '\n</tool_call>'],
    callCloses: ['</function>'],
    closes: ['</tool_call>'],
  },
}

export const qwen3Coder: AnswerDialect = { name: 'qwen3-coder', tools: calls, alsoReads: [taggedCalls] }
export const qwen35: AnswerDialect = { name: 'qwen3-coder', thought: thinkTags, tools: calls, alsoReads: [taggedCalls] }
