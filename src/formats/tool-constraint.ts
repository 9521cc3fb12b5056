/** Tool calls as a grammar: which texts and schemas follow each other when a model calls these tools in its own syntax. */
import type { Tool } from '../shared/generate.ts'
import type { StructuralFormat, StructuralTag } from './constraint.ts'
import type { DsmlSyntax, ToolSyntax } from './tool-syntax.ts'

type Schema = Record<string, unknown>

const ANY_OBJECT: Schema = { type: 'object' }

/** One call or more (`parallel`), and nothing else. `tools` are the ones that may be called. */
export function callsFormat(syntax: ToolSyntax, tools: readonly Tool[], parallel: boolean): StructuralFormat {
  return sequence([
    constant(syntax.begin),
    {
      type: 'tags_with_separator',
      tags: tools.map((tool) => callTag(syntax, tool)),
      separator: syntax.separator,
      at_least_one: true,
      stop_after_first: !parallel || !canRepeat(syntax),
    },
    constant(syntax.end),
  ])
}

/** Free text; once a call begins it follows the syntax, and arguments of `strict` tools their schema. Undefined where nothing marks the beginning. */
export function freeTextWithCalls(syntax: ToolSyntax, tools: readonly Tool[], parallel: boolean): StructuralFormat | undefined {
  const trigger = syntax.type === 'harmony' ? undefined : triggerOf(syntax)
  if (!trigger) return undefined
  const loose = tools.map((tool) => (tool.strict ? tool : { ...tool, parameters: ANY_OBJECT }))
  const tags = loose.map((tool) => callTag(syntax, tool)).map((tag) => wrapBlock(syntax, tag, loose, parallel))
  return { type: 'triggered_tags', triggers: [trigger], tags, at_least_one: false, stop_after_first: false }
}

/** Whether a second call may follow in the same answer. gpt-oss ends its turn with each call. */
function canRepeat(syntax: ToolSyntax): boolean {
  return syntax.type !== 'harmony'
}

/** The text that only the beginning of a call holds. */
function triggerOf(syntax: ToolSyntax): string | undefined {
  const first = (syntax.begin + (syntax.type === 'json' || syntax.type === 'named' ? syntax.callBegin : '')).trimStart()
  return first === '' || first.startsWith('{') ? undefined : (syntax.type === 'dsml' ? syntax.begin : first).trim()
}

/** A tag that begins where free text ends: the block's beginning, one call, further calls, the block's end. */
function wrapBlock(syntax: ToolSyntax, tag: StructuralTag, tools: readonly Tool[], parallel: boolean): StructuralTag {
  const begin = (syntax.begin + tag.begin).trimStart()
  if (syntax.begin === '' && syntax.end === '') return { ...tag, begin }
  if (!parallel) return { ...tag, begin, end: tag.end + syntax.end }
  const next = tools.map((tool): StructuralTag => {
    const other = callTag(syntax, tool)
    return { ...other, begin: syntax.separator + other.begin }
  })
  const more: StructuralFormat = { type: 'tags_with_separator', tags: next, separator: '', at_least_one: false, stop_after_first: false }
  return { type: 'tag', begin, content: sequence([tag.content, constant(tag.end), more]), end: syntax.end }
}

function callTag(syntax: ToolSyntax, tool: Tool): StructuralTag {
  const schema: StructuralFormat = { type: 'json_schema', json_schema: argumentsSchema(tool) }
  switch (syntax.type) {
    case 'json':
      return {
        type: 'tag',
        begin: `${syntax.callBegin}{"name": ${JSON.stringify(tool.name)}, "${syntax.argumentsKey}": `,
        content: schema,
        end: `}${syntax.callEnd}`,
      }
    case 'named':
      return { type: 'tag', begin: syntax.callBegin + tool.name + syntax.nameEnd, content: schema, end: syntax.callEnd }
    case 'harmony':
      return {
        type: 'tag',
        begin: `<|channel|>commentary to=functions.${tool.name} <|constrain|>json<|message|>`,
        content: schema,
        end: '',
      }
    case 'dsml':
      return {
        type: 'tag',
        begin: `<${syntax.tag}invoke name="${tool.name}">\n`,
        content: dsmlArguments(syntax, tool),
        end: `</${syntax.tag}invoke>`,
      }
  }
}

function argumentsSchema(tool: Tool): Schema {
  return { ...tool.parameters, type: 'object' }
}

/** One element for each property, in the schema's order; the ones that are not required may be left out. */
function dsmlArguments(syntax: DsmlSyntax, tool: Tool): StructuralFormat {
  const { properties, required } = argumentsSchema(tool)
  const needed = new Set(Array.isArray(required) ? required : [])
  const entries = isRecord(properties) ? Object.entries(properties) : []
  if (entries.length === 0) return anyDsmlArguments(syntax)
  return sequence(
    entries.map(([name, schema]) => {
      const element = dsmlParameter(syntax, name, isRecord(schema) ? schema : {})
      return needed.has(name) ? element : { type: 'or', elements: [element, constant('')] }
    }),
  )
}

function dsmlParameter({ tag }: DsmlSyntax, name: string, schema: Schema): StructuralFormat {
  const begin = (isString: boolean): string => `<${tag}parameter name="${name}" string="${isString}">`
  const end = `</${tag}parameter>\n`
  const asText: StructuralTag = { type: 'tag', begin: begin(true), content: textFormat(schema), end }
  const asJson: StructuralTag = { type: 'tag', begin: begin(false), content: { type: 'json_schema', json_schema: schema }, end }
  if (isTextSchema(schema)) return asText
  return mayBeText(schema) ? { type: 'or', elements: [asText, asJson] } : asJson
}

function anyDsmlArguments({ tag }: DsmlSyntax): StructuralFormat {
  return {
    type: 'tags_with_separator',
    tags: [{ type: 'tag', begin: `<${tag}parameter name="`, content: { type: 'any_text' }, end: `</${tag}parameter>\n` }],
    separator: '',
    at_least_one: false,
    stop_after_first: false,
  }
}

/** Raw text, narrowed where the schema lists the values or gives a pattern. */
function textFormat(schema: Schema): StructuralFormat {
  const values = Array.isArray(schema.enum) ? schema.enum.filter((value) => typeof value === 'string') : []
  if (values.length > 0) return { type: 'or', elements: values.map(constant) }
  if (typeof schema.const === 'string') return constant(schema.const)
  return { type: 'any_text' }
}

function isTextSchema(schema: Schema): boolean {
  if (schema.type === 'string' || typeof schema.const === 'string') return true
  return Array.isArray(schema.enum) && schema.enum.every((value) => typeof value === 'string')
}

function mayBeText(schema: Schema): boolean {
  if (Array.isArray(schema.type)) return schema.type.includes('string')
  return schema.type === undefined && schema.enum === undefined
}

function sequence(elements: StructuralFormat[]): StructuralFormat {
  const some = elements.filter((element) => element.type !== 'const_string' || element.value !== '')
  const [only] = some
  return some.length === 1 && only ? only : { type: 'sequence', elements: some }
}

function constant(value: string): StructuralFormat {
  return { type: 'const_string', value }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
