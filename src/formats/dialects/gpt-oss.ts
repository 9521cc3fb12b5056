/** gpt-oss: messages on channels (analysis, commentary, final). Source: the "harmony response format" document of the openai/harmony repository. */
import type { AnswerDialect } from '../answer-dialect.ts'

export const gptOss: AnswerDialect = {
  name: 'gpt-oss',
  thought: {
    open: '<|channel|>analysis<|message|>',
    close: '<|end|>',
    forceClose: '<|end|><|start|>assistant<|channel|>final<|message|>',
  },
  tools: { type: 'harmony', begin: '', separator: '', end: '' },
}
