/** Calls of functions and of tools that take free text, in the Responses API: their names, items and events. Pure. */
import type { UnnumberedEvent } from '../../shared/response-events.ts'
import type { OutputItem } from '../../shared/responses.ts'

/** What the caller calls a tool; a model knows one flat list of names. */
export interface CallName {
  type: 'function' | 'custom'
  name: string
  /** The group of tools that it stands in, e.g. one MCP server's. */
  namespace?: string
}

/** By the name that the model knows. */
export type CallNames = ReadonlyMap<string, CallName>

/** Tools in this group are written, and called, as if they stood outside. Source: Codex 0.147. */
const PLAIN_NAMESPACE = 'functions'

/** The one name that a model reads: `mcp__files` and `read` are `mcp__files__read`. */
export function modelName({ name, namespace }: Pick<CallName, 'name' | 'namespace'>): string {
  if (namespace === undefined || namespace === PLAIN_NAMESPACE) return name
  return namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`
}

export function callName(type: CallName['type'], name: string, namespace: string | null | undefined): CallName {
  return { type, name, ...(namespace && namespace !== PLAIN_NAMESPACE ? { namespace } : {}) }
}

/** Free text reaches a model as a function's only parameter. */
export const FREE_TEXT = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
} as const

export function freeTextArguments(input: string): string {
  return JSON.stringify({ input })
}

/** The text in a call's arguments. Of a call that was cut off, what there is. */
function freeText(text: string): string {
  try {
    const { input } = JSON.parse(text) as { input?: unknown }
    return typeof input === 'string' ? input : text
  } catch {
    return text
  }
}

/** A call that is being written. `index` is its place in the output. */
export interface OpenCall {
  type: 'call'
  id: string
  index: number
  callId: string
  tool: CallName
  arguments: string
}

type Status = OutputItem['status']

export function callItem({ id, callId, tool, arguments: text }: OpenCall, status: Status): OutputItem {
  const { type, ...named } = tool
  return type === 'custom'
    ? { id, type: 'custom_tool_call', call_id: callId, ...named, input: freeText(text), status }
    : { id, type: 'function_call', call_id: callId, ...named, arguments: text, status }
}

/** Free text is told when it is whole: its pieces are pieces of JSON. */
export function callDelta({ id, index, tool }: OpenCall, delta: string): UnnumberedEvent[] {
  if (delta === '' || tool.type === 'custom') return []
  return [{ type: 'response.function_call_arguments.delta', item_id: id, output_index: index, delta }]
}

/** What comes before the item is done. */
export function closedCall({ id, index, tool, arguments: text }: OpenCall): UnnumberedEvent[] {
  const place = { item_id: id, output_index: index }
  if (tool.type === 'function') return [{ type: 'response.function_call_arguments.done', ...place, name: tool.name, arguments: text }]
  const input = freeText(text)
  return [
    { type: 'response.custom_tool_call_input.delta', ...place, delta: input },
    { type: 'response.custom_tool_call_input.done', ...place, input },
  ]
}
