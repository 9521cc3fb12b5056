/** Llama 3.1–3.3: the whole answer is `{"name": …, "parameters": …}`, sometimes behind `<|python_tag|>`. Source: the models' chat templates. */
import type { AnswerDialect } from '../answer-dialect.ts'

export const llama3: AnswerDialect = {
  name: 'llama3',
  tools: {
    type: 'json',
    begin: '',
    callBegin: '',
    callEnd: '',
    separator: '; ',
    end: '',
    argumentsKey: 'parameters',
    marks: { opens: ['<|python_tag|>'], closes: [] },
    bare: true,
  },
}
