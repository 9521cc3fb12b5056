/** Tools of the Responses API and the choice among them. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Tool, ToolChoice } from '../../shared/generate.ts'
import type { Response, ResponseRequest } from '../../shared/responses.ts'
import { checkJsonSchema } from './json-schema-check.ts'
import { compact } from './request-fields.ts'

export interface ResponseTools {
  /** What the model is given. */
  tools: Tool[]
  toolChoice?: ToolChoice
  /** What the reply repeats. */
  wire: Pick<Response, 'tools' | 'tool_choice'>
}

type WireTool = Response['tools'][number]

/** Throws `invalid-field`, and `unsupported-field` for the tools that only OpenAI can run. */
export function responseTools({ tools, tool_choice: choice }: Pick<ResponseRequest, 'tools' | 'tool_choice'>): ResponseTools {
  const wireTools = (tools ?? []).map(wireTool)
  refuseTwins(wireTools)
  const all = wireTools.map(({ name, description, parameters, strict }): Tool => ({
    name,
    strict,
    ...compact({ description, parameters }),
  }))
  const wireChoice = wireChoiceOf(choice ?? 'auto', wireTools)
  return { ...choose(all, wireChoice), wire: { tools: wireTools, tool_choice: wireChoice } }
}

function wireTool({ type, name, description, parameters, strict }: NonNullable<ResponseRequest['tools']>[number], index: number): WireTool {
  const field = `tools[${index}]`
  if (type !== 'function') {
    const reason = `there is no "${type}" tool here; give it a function tool and run it yourself`
    throw new AppError('unsupported-field', { field: `${field}.type`, reason })
  }
  if (name === undefined || !/^[\w-]{1,128}$/.test(name)) throw invalid(`${field}.name`, 'expected letters, digits, _ and -')
  if (parameters) checkJsonSchema(parameters, `${field}.parameters`)
  return { type, name, description: description ?? null, parameters: parameters ?? null, strict: strict ?? false }
}

function refuseTwins(tools: readonly WireTool[]): void {
  const names = new Set<string>()
  tools.forEach(({ name }, index) => {
    if (names.has(name)) throw invalid(`tools[${index}].name`, `there is another tool named ${name}`)
    names.add(name)
  })
}

function wireChoiceOf(choice: NonNullable<ResponseRequest['tool_choice']>, tools: readonly WireTool[]): Response['tool_choice'] {
  const checked = (name: string | undefined, field: string): string => {
    if (name !== undefined && tools.some((tool) => tool.name === name)) return name
    throw invalid(field, 'there is no tool of this name')
  }
  if (typeof choice === 'string') {
    if (choice !== 'auto' && choice !== 'none' && choice !== 'required') throw invalid('tool_choice', 'expected auto, none or required')
    if (choice === 'required' && tools.length === 0) throw invalid('tool_choice', 'it needs "tools"')
    return choice
  }
  if (choice.type === 'function') return { type: 'function', name: checked(choice.name, 'tool_choice.name') }
  if (choice.type !== 'allowed_tools') {
    throw new AppError('unsupported-field', { field: 'tool_choice.type', reason: `there is no "${choice.type}" tool here` })
  }
  if (choice.mode !== 'auto' && choice.mode !== 'required') throw invalid('tool_choice.mode', 'expected auto or required')
  const allowed = (choice.tools ?? []).map(({ type, name }, index) => {
    if (type !== 'function') throw invalid(`tool_choice.tools[${index}].type`, 'expected function')
    return { type: 'function' as const, name: checked(name, `tool_choice.tools[${index}].name`) }
  })
  if (allowed.length === 0) throw invalid('tool_choice.tools', 'expected at least one tool')
  return { type: 'allowed_tools', mode: choice.mode, tools: allowed }
}

function choose(tools: Tool[], choice: Response['tool_choice']): { tools: Tool[]; toolChoice?: ToolChoice } {
  if (tools.length === 0) return { tools }
  if (typeof choice === 'string') return { tools, toolChoice: { type: choice } }
  if (choice.type === 'function') return { tools, toolChoice: { type: 'named', name: choice.name } }
  const names = choice.tools.map(({ name }) => name)
  if (choice.mode === 'required') return { tools, toolChoice: { type: 'required', names } }
  // What the model may not call, it need not know.
  return { tools: tools.filter(({ name }) => names.includes(name)), toolChoice: { type: 'auto' } }
}

function invalid(field: string, reason: string): AppError {
  return new AppError('invalid-field', { field, reason })
}
