/** Tool calls as a grammar: which texts and schemas follow each other when a model calls these tools in its own syntax. */
import type { Tool } from '../shared/generate.ts'
import type { StructuralFormat, StructuralTag } from './constraint.ts'
import type { DsmlSyntax, ElementCallSyntax, ToolSyntax } from './tool-syntax.ts'

type Schema = Record<string, unknown>

const ANY_OBJECT: Schema = { type: 'object' }
const CALL_NUMBER: StructuralFormat = { type: 'regex', pattern: '[0-9]{1,4}' }
/** XGrammar takes no constant without text. */
const NOTHING: StructuralFormat = { type: 'grammar', grammar: 'root ::= ""' }

/** One call or more (`parallel`), and nothing else. `tools` are the ones that may be called. */
export function callsFormat(syntax: ToolSyntax, tools: readonly Tool[], parallel: boolean): StructuralFormat {
  return block(syntax, tools, parallel, syntax.begin + callLead(syntax))
}

/** Free text; once a call begins it follows the syntax, and arguments of `strict` tools their schema. Undefined where nothing marks the beginning. */
export function freeTextWithCalls(syntax: ToolSyntax, tools: readonly Tool[], parallel: boolean): StructuralFormat | undefined {
  const trigger = triggerOf(syntax)
  if (!trigger) return undefined
  const begin = (syntax.begin + callLead(syntax)).trimStart()
  const loose = tools.map((tool) => (tool.strict ? tool : { ...tool, parameters: ANY_OBJECT }))
  const whole = syntax.end === '' ? undefined : block(syntax, loose, parallel, begin)
  const tags =
    whole?.type === 'tag' ? [whole] : loose.map((tool) => ({ ...callTag(syntax, tool), begin: begin + callTag(syntax, tool).begin }))
  return { type: 'triggered_tags', triggers: [trigger], tags, at_least_one: false, stop_after_first: !parallel }
}

/**
 * XGrammar wants separators that are not empty, and nothing behind a list of tags but the end of the tag around it. So the text that every call begins
 * with stands in front of the list and in the separator.
 */
function block(syntax: ToolSyntax, tools: readonly Tool[], parallel: boolean, begin: string): StructuralFormat {
  const calls: StructuralFormat = {
    type: 'tags_with_separator',
    tags: tools.map((tool) => callTag(syntax, tool)),
    separator: syntax.separator + callLead(syntax),
    at_least_one: true,
    // gpt-oss ends its turn with each call.
    stop_after_first: !parallel || syntax.type === 'harmony',
  }
  if (syntax.end === '') return sequence([constant(begin), calls])
  return { type: 'tag', begin, content: calls, end: syntax.end }
}

/** The text that only the beginning of a call holds; undefined for bare JSON, and for gpt-oss, whose calls are messages of their own. */
function triggerOf(syntax: ToolSyntax): string | undefined {
  switch (syntax.type) {
    case 'harmony':
      return undefined
    case 'dsml':
      return syntax.begin.trim()
    case 'named':
    case 'json':
    case 'elements':
      return (syntax.begin || syntax.callBegin).trim() || undefined
  }
}

/** What all calls begin with, up to the name. */
function callLead(syntax: ToolSyntax): string {
  switch (syntax.type) {
    case 'json':
      return `${syntax.callBegin}{"name": `
    case 'named':
    case 'elements':
      return syntax.callBegin
    case 'harmony':
      return '<|channel|>commentary to=functions.'
    case 'dsml':
      return `<${syntax.tag}invoke name="`
  }
}

/** A call from its name on. */
function callTag(syntax: ToolSyntax, tool: Tool): StructuralTag {
  const schema: StructuralFormat = { type: 'json_schema', json_schema: argumentsSchema(tool) }
  switch (syntax.type) {
    case 'json':
      return {
        type: 'tag',
        begin: `${JSON.stringify(tool.name)}, "${syntax.argumentsKey}": `,
        content: schema,
        end: `}${syntax.callEnd}`,
      }
    case 'named':
      return syntax.numbered
        ? { type: 'tag', begin: `${tool.name}:`, content: sequence([CALL_NUMBER, constant(syntax.nameEnd), schema]), end: syntax.callEnd }
        : { type: 'tag', begin: tool.name + syntax.nameEnd, content: schema, end: syntax.callEnd }
    case 'elements':
      return {
        type: 'tag',
        begin: tool.name + syntax.nameEnd,
        content: parameterElements(tool, elementParameter(syntax)),
        end: syntax.callEnd,
      }
    case 'harmony':
      return { type: 'tag', begin: `${tool.name} <|constrain|>json<|message|>`, content: schema, end: '' }
    case 'dsml':
      return {
        type: 'tag',
        begin: `${tool.name}">\n`,
        content: parameterElements(tool, dsmlParameter(syntax)),
        end: `</${syntax.tag}invoke>`,
      }
  }
}

function argumentsSchema(tool: Tool): Schema {
  return { ...tool.parameters, type: 'object' }
}

/** One element for each property, in the schema's order; the ones that are not required may be left out. */
function parameterElements(tool: Tool, elementOf: (name: string, schema: Schema) => StructuralFormat): StructuralFormat {
  const { properties, required } = argumentsSchema(tool)
  const needed = new Set(Array.isArray(required) ? required : [])
  const entries = isRecord(properties) ? Object.entries(properties) : []
  if (tool.parameters === ANY_OBJECT) return { type: 'any_text' }
  if (entries.length === 0) return NOTHING
  return sequence(
    entries.map(([name, schema]) => {
      const element = elementOf(name, isRecord(schema) ? schema : {})
      return needed.has(name) ? element : { type: 'or', elements: [element, NOTHING] }
    }),
  )
}

function dsmlParameter({ tag }: DsmlSyntax): (name: string, schema: Schema) => StructuralFormat {
  return (name, schema) => {
    const begin = (isString: boolean): string => `<${tag}parameter name="${name}" string="${isString}">`
    const end = `</${tag}parameter>\n`
    const asText: StructuralTag = { type: 'tag', begin: begin(true), content: textFormat(schema), end }
    const asJson: StructuralTag = { type: 'tag', begin: begin(false), content: { type: 'json_schema', json_schema: schema }, end }
    if (isTextSchema(schema)) return asText
    return mayBeText(schema) ? { type: 'or', elements: [asText, asJson] } : asJson
  }
}

/** Nothing in the syntax tells text from JSON, so what may be both is free. */
function elementParameter(syntax: ElementCallSyntax): (name: string, schema: Schema) => StructuralFormat {
  return (name, schema) => ({
    type: 'tag',
    begin: syntax.parameterBegin + name + syntax.parameterNameEnd,
    content: isTextSchema(schema) || mayBeText(schema) ? textFormat(schema) : { type: 'json_schema', json_schema: schema },
    end: syntax.parameterEnd,
  })
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
  const [only] = elements
  return elements.length === 1 && only ? only : { type: 'sequence', elements }
}

function constant(value: string): StructuralFormat {
  return { type: 'const_string', value }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
