/**
 * GLM 4.5 and 4.6 (a line for each tag), 4.7 and later (no line breaks): the name, then a key and a value for each parameter.
 * Source: the models' chat templates, as llama.cpp's release of 2026-09-28 has them.
 */
import type { AnswerDialect, ThoughtSyntax } from '../answer-dialect.ts'
import type { ElementCallSyntax } from '../tool-syntax.ts'
import { taggedCalls } from './hermes.ts'
import { thinkTags, tightThinkTags } from './think-tags.ts'

const calls = (lineBreak: '' | '\n'): ElementCallSyntax => ({
  type: 'elements',
  begin: '',
  callBegin: '<tool_call>',
  nameEnd: lineBreak,
  parameterBegin: '<arg_key>',
  parameterNameEnd: `</arg_key>${lineBreak}<arg_value>`,
  parameterEnd: `</arg_value>${lineBreak}`,
  callEnd: '</tool_call>',
  separator: lineBreak,
  end: '',
  python: false,
  ownLines: false,
  marks: {
    opens: ['<tool_call>'],
    callOpens: ['<tool_call>'],
    nameEnds: ['\n'],
    keyOpens: ['<arg_key>'],
    keyEnds: ['</arg_key>'],
    valueOpens: ['<arg_value>'],
    valueCloses: ['</arg_value>'],
    // All of these are tokens of their own, which no value holds.
    valueEdges: ['<arg_key>', '</tool_call>'],
    callCloses: ['</tool_call>'],
    closes: [],
  },
})

const glm = (thought: ThoughtSyntax, lineBreak: '' | '\n'): AnswerDialect => ({
  name: 'glm',
  thought,
  tools: calls(lineBreak),
  alsoReads: [taggedCalls],
})

export const glm45: AnswerDialect = glm(thinkTags, '\n')
export const glm47: AnswerDialect = glm(tightThinkTags, '')
