/** Tools of the Responses API and the choice among them. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Tool, ToolChoice } from '../../shared/generate.ts'
import type { Response, ResponseRequest } from '../../shared/responses.ts'
import { checkJsonSchema } from './json-schema-check.ts'
import { callName, FREE_TEXT, modelName, type CallName, type CallNames } from './openai-responses-calls.ts'
import { compact } from './request-fields.ts'

export interface ResponseTools {
  /** What the model is given. */
  tools: Tool[]
  toolChoice?: ToolChoice
  /** What the reply repeats. */
  wire: Pick<Response, 'tools' | 'tool_choice'>
  names: CallNames
  /** Left out, by place. */
  ignored: string[]
}

type RequestTool = NonNullable<ResponseRequest['tools']>[number]
type InnerTool = NonNullable<RequestTool['tools']>[number]
type WireTool = Response['tools'][number]
type WireInnerTool = Extract<WireTool, { type: 'namespace' }>['tools'][number]

/** A tool as the model reads it, and as the caller knows it. */
interface KnownTool {
  tool: Tool
  called: CallName
  field: string
}

/** Throws `invalid-field`, and `unsupported-field` for the tools that only OpenAI can run, unless there are others that do without. */
export function responseTools({ tools, tool_choice: choice }: Pick<ResponseRequest, 'tools' | 'tool_choice'>): ResponseTools {
  const places = (tools ?? []).map((tool, index) => ({ tool, field: `tools[${index}]` }))
  const own = places.filter(({ tool }) => isOwn(tool))
  const foreign = places.filter(({ tool }) => !isOwn(tool))
  // Coding agents always name some of OpenAI's beside their own, and work without them. Alone, they are what was asked for.
  if (foreign[0] && own.length === 0) throw notHere(foreign[0].tool.type, foreign[0].field)
  const known = own.flatMap(({ tool, field }) => knownTools(tool, field))
  refuseTwins(known)
  const names = new Map(known.map(({ tool, called }) => [tool.name, called]))
  const wireChoice = wireChoiceOf(choice ?? 'auto', known)
  return {
    ...choose(known, wireChoice),
    wire: { tools: own.map(({ tool }) => wireTool(tool)), tool_choice: wireChoice },
    names,
    ignored: foreign.map(({ field }) => field),
  }
}

function isOwn({ type }: RequestTool): boolean {
  return type === 'function' || type === 'custom' || type === 'namespace'
}

function notHere(type: string, field: string): AppError {
  const reason = `there is no "${type}" tool here; give it a function tool and run it yourself`
  return new AppError('unsupported-field', { field: `${field}.type`, reason })
}

/** A namespace is a group of tools; anything else is one. */
function knownTools(tool: RequestTool, field: string): KnownTool[] {
  if (tool.type !== 'namespace') return [knownTool(tool, field, undefined)]
  const namespace = nameOf(tool, field)
  return (tool.tools ?? []).map((inner, index) => {
    const place = `${field}.tools[${index}]`
    if (inner.type !== 'function' && inner.type !== 'custom') throw notHere(inner.type, place)
    return knownTool(inner, place, namespace)
  })
}

function knownTool(tool: InnerTool, field: string, namespace: string | undefined): KnownTool {
  const name = nameOf(tool, field)
  if (tool.parameters) checkJsonSchema(tool.parameters, `${field}.parameters`)
  const called = callName(tool.type === 'custom' ? 'custom' : 'function', name, namespace)
  const given = tool.type === 'custom' ? freeTextTool(tool) : functionTool(tool)
  return { tool: { name: modelName(called), ...given }, called, field }
}

function functionTool({ description, parameters, strict }: InnerTool): Omit<Tool, 'name'> {
  return { strict: strict ?? false, ...compact({ description, parameters }) }
}

/** A grammar of the text is told to the model, not enforced: the text stands inside of JSON. */
function freeTextTool({ description, format }: InnerTool): Omit<Tool, 'name'> {
  const rules = format?.type === 'grammar' ? [`"input" must follow this ${format.syntax} grammar:\n${format.definition}`] : []
  const told = [...(description ? [description] : []), ...rules].join('\n\n')
  return { parameters: { ...FREE_TEXT }, ...(told === '' ? {} : { description: told }) }
}

function nameOf({ name }: InnerTool, field: string): string {
  if (name === undefined || !/^[\w-]{1,128}$/.test(name)) throw invalid(`${field}.name`, 'expected letters, digits, _ and -')
  return name
}

function wireTool({ type, name = '', description, parameters, strict, format, tools }: RequestTool): WireTool {
  if (type === 'custom') return { type, name, ...compact({ description, format }) }
  if (type === 'namespace') return { type, name, description: description ?? '', tools: (tools ?? []).map(innerWireTool) }
  return { type: 'function', name, description: description ?? null, parameters: parameters ?? null, strict: strict ?? false }
}

function innerWireTool({ type, name = '', description, parameters, strict, format }: InnerTool): WireInnerTool {
  if (type === 'custom') return { type, name, ...compact({ description, format }) }
  return { type: 'function', name, ...compact({ description, parameters, strict }) }
}

function refuseTwins(known: readonly KnownTool[]): void {
  const names = new Set<string>()
  for (const { tool, field } of known) {
    if (names.has(tool.name)) throw invalid(`${field}.name`, `there is another tool named ${tool.name}`)
    names.add(tool.name)
  }
}

type WireChoice = NonNullable<ResponseRequest['tool_choice']>
type NamedChoice = Extract<Response['tool_choice'], { name: string }>

function wireChoiceOf(choice: WireChoice, known: readonly KnownTool[]): Response['tool_choice'] {
  if (typeof choice === 'string') {
    if (choice !== 'auto' && choice !== 'none' && choice !== 'required') throw invalid('tool_choice', 'expected auto, none or required')
    if (choice === 'required' && known.length === 0) throw invalid('tool_choice', 'it needs "tools"')
    return choice
  }
  if (choice.type === 'function' || choice.type === 'custom') return named(choice.type, choice.name, 'tool_choice', known)
  if (choice.type !== 'allowed_tools') {
    throw new AppError('unsupported-field', { field: 'tool_choice.type', reason: `there is no "${choice.type}" tool here` })
  }
  if (choice.mode !== 'auto' && choice.mode !== 'required') throw invalid('tool_choice.mode', 'expected auto or required')
  const allowed = (choice.tools ?? []).map(({ type, name }, index) => {
    const field = `tool_choice.tools[${index}]`
    if (type !== 'function' && type !== 'custom') throw invalid(`${field}.type`, 'expected function')
    return named(type, name, field, known)
  })
  if (allowed.length === 0) throw invalid('tool_choice.tools', 'expected at least one tool')
  return { type: 'allowed_tools', mode: choice.mode, tools: allowed }
}

function named(type: CallName['type'], name: string | undefined, field: string, known: readonly KnownTool[]): NamedChoice {
  if (name !== undefined && known.some(({ called }) => called.type === type && called.name === name)) return { type, name }
  throw invalid(`${field}.name`, 'there is no tool of this name')
}

function choose(known: readonly KnownTool[], choice: Response['tool_choice']): Pick<ResponseTools, 'tools' | 'toolChoice'> {
  const tools = known.map(({ tool }) => tool)
  if (tools.length === 0) return { tools }
  if (typeof choice === 'string') return { tools, toolChoice: { type: choice } }
  const chosen = (one: NamedChoice): string[] =>
    known.filter(({ called }) => called.type === one.type && called.name === one.name).map(({ tool }) => tool.name)
  if (choice.type !== 'allowed_tools') {
    const names = chosen(choice)
    return { tools, toolChoice: names[1] === undefined ? { type: 'named', name: names[0] ?? choice.name } : { type: 'required', names } }
  }
  const names = choice.tools.flatMap(chosen)
  if (choice.mode === 'required') return { tools, toolChoice: { type: 'required', names } }
  // What the model may not call, it need not know.
  return { tools: tools.filter(({ name }) => names.includes(name)), toolChoice: { type: 'auto' } }
}

function invalid(field: string, reason: string): AppError {
  return new AppError('invalid-field', { field, reason })
}
