/** The many ways in which a request says what the answer must look like, as one OutputFormat. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { OutputFormat } from '../../shared/generate.ts'
import type { ChatRequest } from '../../shared/openai.ts'
import { checkJsonSchema } from './json-schema-check.ts'

type ResponseFormat = NonNullable<ChatRequest['response_format']>
export type OutputBody = Partial<
  Pick<
    ChatRequest,
    | 'response_format'
    | 'grammar'
    | 'json_schema'
    | 'guided_json'
    | 'guided_regex'
    | 'guided_choice'
    | 'guided_grammar'
    | 'structured_outputs'
  >
>

interface Wish {
  field: string
  output: OutputFormat
}

/** Throws `invalid-field` for what is no schema, and for two wishes at once. */
export function outputOf(body: OutputBody): OutputFormat | undefined {
  const [first, second] = [
    ...responseFormatWishes(body.response_format),
    ...otherWishes(body),
    ...structuredWishes(body.structured_outputs),
  ]
  if (second) throw new AppError('invalid-field', { field: second.field, reason: `it cannot be used together with "${first?.field}"` })
  return first?.output
}

function responseFormatWishes(format: ChatRequest['response_format']): Wish[] {
  const output = format ? responseFormatOutput(format) : undefined
  return output ? [{ field: 'response_format', output }] : []
}

function responseFormatOutput(format: ResponseFormat): OutputFormat | undefined {
  switch (format.type) {
    case 'text':
      return undefined
    case 'json_object':
      return format.schema ? schemaOutput(format.schema, 'response_format.schema') : { type: 'json-object' }
    case 'json_schema':
      return namedSchemaOutput(format)
    default:
      throw new AppError('invalid-field', { field: 'response_format.type', reason: 'expected text, json_object or json_schema' })
  }
}

/** OpenAI lets the schema be absent: then any object will do. Every schema is enforced, whatever `strict` says. */
function namedSchemaOutput({ json_schema: named }: ResponseFormat): OutputFormat {
  if (!named) throw new AppError('invalid-field', { field: 'response_format.json_schema', reason: 'expected {"name": …, "schema": …}' })
  if (!named.schema) return { type: 'json-object' }
  return { ...schemaOutput(named.schema, 'response_format.json_schema.schema'), name: named.name }
}

function schemaOutput(schema: Record<string, unknown>, field: string): Extract<OutputFormat, { type: 'json-schema' }> {
  checkJsonSchema(schema, field)
  return { type: 'json-schema', schema }
}

function otherWishes(body: OutputBody): Wish[] {
  return [
    ...wish('grammar', body.grammar || undefined, grammarOutput),
    ...wish('json_schema', body.json_schema, schemaOutput),
    ...wish('guided_json', body.guided_json, schemaTextOutput),
    ...wish('guided_regex', body.guided_regex, regexOutput),
    ...wish('guided_choice', body.guided_choice, choiceOutput),
    ...wish('guided_grammar', body.guided_grammar, grammarOutput),
  ]
}

function structuredWishes(outputs: ChatRequest['structured_outputs']): Wish[] {
  return [
    ...wish('structured_outputs.json', outputs?.json, schemaTextOutput),
    ...wish('structured_outputs.regex', outputs?.regex, regexOutput),
    ...wish('structured_outputs.choice', outputs?.choice, choiceOutput),
    ...wish('structured_outputs.grammar', outputs?.grammar, grammarOutput),
    ...wish('structured_outputs.json_object', outputs?.json_object || undefined, (): OutputFormat => ({ type: 'json-object' })),
  ]
}

function wish<Value>(field: string, value: Value | null | undefined, make: (value: Value, field: string) => OutputFormat): Wish[] {
  return value === null || value === undefined ? [] : [{ field, output: make(value, field) }]
}

function grammarOutput(grammar: string): OutputFormat {
  return { type: 'grammar', grammar }
}

function regexOutput(pattern: string, field: string): OutputFormat {
  if (!isPattern(pattern)) throw new AppError('invalid-field', { field, reason: 'it is not a regular expression' })
  return { type: 'regex', pattern }
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}

function schemaTextOutput(schema: Record<string, unknown> | string, field: string): OutputFormat {
  if (typeof schema !== 'string') return schemaOutput(schema, field)
  try {
    return schemaOutput(JSON.parse(schema) as Record<string, unknown>, field)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('invalid-field', { field, reason: 'it is not JSON' })
  }
}

/** One of the texts, and nothing else: a GBNF rule of alternatives. */
function choiceOutput(choices: readonly string[], field: string): OutputFormat {
  // GBNF's quotes know few escapes; nobody chooses between control characters.
  if (choices.some((choice) => hasControlCharacter(choice)))
    throw new AppError('invalid-field', { field, reason: 'control characters cannot be chosen' })
  return { type: 'grammar', grammar: `root ::= ${choices.map((choice) => `"${choice.replace(/["\\]/g, String.raw`\$&`)}"`).join(' | ')}\n` }
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007F')
}
