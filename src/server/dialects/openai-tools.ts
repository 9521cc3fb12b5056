/** Tools and the choice among them, OpenAI's newer and older way, as ours. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Tool, ToolChoice } from '../../shared/generate.ts'
import type { ChatRequest } from '../../shared/openai.ts'
import { checkJsonSchema } from './json-schema-check.ts'
import { compact } from './request-fields.ts'

export interface ToolWishes {
  tools?: Tool[]
  toolChoice?: ToolChoice
  parallelToolCalls?: boolean
}

type ToolBody = Pick<ChatRequest, 'tools' | 'tool_choice' | 'parallel_tool_calls' | 'functions' | 'function_call'>
type WireChoice = NonNullable<ChatRequest['tool_choice']>
type WireFunction = NonNullable<ChatRequest['functions']>[number]

/** Whether the reply must speak of `function_call` rather than of `tool_calls`. */
export function usesLegacyFunctions({ tools, functions }: Pick<ToolBody, 'tools' | 'functions'>): boolean {
  return (functions ?? []).length > 0 && (tools ?? []).length === 0
}

/** Throws `invalid-field` and `unsupported-field`. */
export function toolWishesOf(body: ToolBody): ToolWishes {
  const legacy = usesLegacyFunctions(body)
  if (!legacy && (body.functions ?? []).length > 0) throw invalid('functions', 'it cannot be used together with "tools"')
  const tools = legacy ? legacyTools(body.functions ?? []) : toolsOf(body.tools ?? [])
  refuseTwins(tools, legacy ? 'functions' : 'tools')
  const choice = legacy ? legacyChoice(body.function_call) : (body.tool_choice ?? undefined)
  if (tools.length === 0) return withoutTools(body)
  return {
    ...choose(tools, choice, legacy ? 'function_call' : 'tool_choice'),
    // The old way has room for one call.
    ...(legacy ? { parallelToolCalls: false } : compact({ parallelToolCalls: body.parallel_tool_calls })),
  }
}

function toolsOf(tools: NonNullable<ChatRequest['tools']>): Tool[] {
  return tools.map((tool, index) => {
    if (tool.type === 'custom') {
      throw new AppError('unsupported-field', {
        field: `tools[${index}]`,
        reason: 'custom tools take free text; use a function tool with one string parameter',
      })
    }
    if (tool.type !== 'function') throw invalid(`tools[${index}].type`, 'expected function')
    if (!tool.function) throw invalid(`tools[${index}].function`, 'expected {"name": …, "parameters": …}')
    return toolOf(tool.function, `tools[${index}].function`)
  })
}

function legacyTools(functions: readonly WireFunction[]): Tool[] {
  return functions.map((one, index) => toolOf(one, `functions[${index}]`))
}

function toolOf({ name, description, parameters, strict }: WireFunction, field: string): Tool {
  if (parameters) checkJsonSchema(parameters, `${field}.parameters`)
  return { name, ...compact({ description, parameters, strict }) }
}

function refuseTwins(tools: readonly Tool[], field: string): void {
  const names = new Set<string>()
  tools.forEach(({ name }, index) => {
    if (names.has(name)) throw invalid(`${field}[${index}]`, `there is another tool named ${name}`)
    names.add(name)
  })
}

/** A choice that asks for nothing is harmless; one that asks for a call cannot be honoured. */
function withoutTools({ tool_choice: choice, function_call: call }: ToolBody): ToolWishes {
  if (choice && choice !== 'none' && choice !== 'auto') throw invalid('tool_choice', 'it needs "tools"')
  if (call && call !== 'none' && call !== 'auto') throw invalid('function_call', 'it needs "functions"')
  return {}
}

function legacyChoice(call: ChatRequest['function_call']): WireChoice | undefined {
  if (call === null || call === undefined || typeof call === 'string') return call ?? undefined
  return { type: 'function', function: { name: call.name } }
}

function choose(tools: Tool[], choice: WireChoice | undefined, field: string): ToolWishes {
  if (choice === undefined) return { tools }
  if (typeof choice === 'string') return { tools, toolChoice: { type: choice } }
  const known = new Set(tools.map(({ name }) => name))
  const nameOf = (one: { type: string; function?: { name: string } | undefined }, place: string): string => {
    if (one.type !== 'function' || !one.function) throw invalid(`${place}.type`, 'expected function')
    if (!known.has(one.function.name)) throw invalid(`${place}.function.name`, 'there is no tool of this name')
    return one.function.name
  }
  if (choice.type !== 'allowed_tools') return { tools, toolChoice: { type: 'named', name: nameOf(choice, field) } }
  if (!choice.allowed_tools) throw invalid(`${field}.allowed_tools`, 'expected {"mode": …, "tools": […]}')
  const { mode, tools: allowed } = choice.allowed_tools
  const names = allowed.map((one, index) => nameOf(one, `${field}.allowed_tools.tools[${index}]`))
  if (mode === 'required') return { tools, toolChoice: { type: 'required', names } }
  // What the model may not call, it need not know.
  return { tools: tools.filter(({ name }) => names.includes(name)), toolChoice: { type: 'auto' } }
}

function invalid(field: string, reason: string): AppError {
  return new AppError('invalid-field', { field, reason })
}
