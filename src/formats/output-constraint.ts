/** A request's wishes about the form of the answer → the constraint that the engine compiles. */
import type { OutputFormat, Tool, ToolChoice } from '../shared/generate.ts'
import type { AnswerDialect } from './answer-dialect.ts'
import type { Constraint, ConstraintRoot, StructuralFormat } from './constraint.ts'
import { checkSchema } from './json-schema.ts'
import { callsFormat, freeTextWithCalls } from './tool-constraint.ts'

export interface ConstraintWishes {
  dialect: AnswerDialect
  /** From the rendered prompt. */
  opensThought: boolean
  mayThink: boolean
  output?: OutputFormat
  tools?: readonly Tool[]
  toolChoice?: ToolChoice
  parallelToolCalls?: boolean
}

/**
 * Undefined when nothing has to be held. A required or named call goes before `output`; with `auto` and `output` the answer has the output's form
 * (calls cannot be told from it, so none are made); with `auto` and `strict` tools the text is free until a call begins.
 * Throws AppError `invalid-schema` for a schema that nothing can satisfy or that is too large.
 */
export function outputConstraint(wishes: ConstraintWishes): Constraint | undefined {
  const root = toolRoot(wishes) ?? outputRoot(wishes.output) ?? strictRoot(wishes)
  if (!root) return undefined
  const { thought, tools } = wishes.dialect
  if (tools.type === 'harmony') return { root: onChannels(root, wishes) }
  if (wishes.opensThought && thought) return { afterThought: thought.close, root }
  return { root: wishes.mayThink && thought ? withOptionalThought(root, thought) : root }
}

/** gpt-oss: a message of thoughts or none, then the calls, or the final message with the wanted form. */
function onChannels(root: ConstraintRoot, wishes: ConstraintWishes): ConstraintRoot {
  const calls = toolRoot(wishes) !== undefined
  const body: StructuralFormat = calls
    ? structural(root)
    : { type: 'sequence', elements: [{ type: 'const_string', value: '<|channel|>final<|message|>' }, structural(root)] }
  const thought: StructuralFormat = { type: 'tag', begin: '<|channel|>analysis<|message|>', content: { type: 'any_text' }, end: '<|end|>' }
  const next: StructuralFormat = { type: 'const_string', value: '<|start|>assistant' }
  return { type: 'structural', format: { type: 'or', elements: [{ type: 'sequence', elements: [thought, next, body] }, body] } }
}

/** The tools that this request lets the model call. */
export function allowedTools(tools: readonly Tool[] = [], choice: ToolChoice = { type: 'auto' }): readonly Tool[] {
  switch (choice.type) {
    case 'none':
      return []
    case 'named':
      return tools.filter((tool) => tool.name === choice.name)
    case 'required':
      return choice.names ? tools.filter((tool) => choice.names?.includes(tool.name)) : tools
    case 'auto':
      return tools
  }
}

function toolRoot({ dialect, tools, toolChoice, parallelToolCalls = true }: ConstraintWishes): ConstraintRoot | undefined {
  if (toolChoice?.type !== 'required' && toolChoice?.type !== 'named') return undefined
  const allowed = allowedTools(tools, toolChoice)
  if (allowed.length === 0) return undefined
  const parallel = parallelToolCalls && toolChoice.type === 'required'
  return { type: 'structural', format: callsFormat(dialect.tools, allowed.map(checkedTool), parallel) }
}

function strictRoot({ dialect, tools = [], toolChoice, parallelToolCalls = true }: ConstraintWishes): ConstraintRoot | undefined {
  if (toolChoice?.type === 'none' || !tools.some((tool) => tool.strict)) return undefined
  const checked = tools.map((tool) => (tool.strict ? checkedTool(tool) : tool))
  const format = freeTextWithCalls(dialect.tools, checked, parallelToolCalls)
  return format && { type: 'structural', format }
}

function checkedTool(tool: Tool): Tool {
  return tool.parameters ? { ...tool, parameters: checkSchema(tool.parameters, `tools: ${tool.name}`).schema } : tool
}

function outputRoot(output: OutputFormat | undefined): ConstraintRoot | undefined {
  switch (output?.type) {
    case undefined:
      return undefined
    case 'json-schema':
      return { type: 'json-schema', schema: checkSchema(output.schema, 'response_format').schema }
    case 'json-object':
      return { type: 'json-object' }
    case 'regex':
      return { type: 'regex', pattern: output.pattern }
    case 'grammar':
      return { type: 'grammar', grammar: output.grammar }
  }
}

/** The model opens the thought by itself, or does not think. */
function withOptionalThought(root: ConstraintRoot, { open, close }: { open: string; close: string }): ConstraintRoot {
  const answer = structural(root)
  const thought: StructuralFormat = { type: 'tag', begin: open, content: { type: 'any_text' }, end: close }
  const gap: StructuralFormat = { type: 'regex', pattern: '\\n{0,2}' }
  return { type: 'structural', format: { type: 'or', elements: [{ type: 'sequence', elements: [thought, gap, answer] }, answer] } }
}

function structural(root: ConstraintRoot): StructuralFormat {
  switch (root.type) {
    case 'json-schema':
      return { type: 'json_schema', json_schema: root.schema }
    case 'json-object':
      return { type: 'json_schema', json_schema: { type: 'object' } }
    case 'regex':
      return { type: 'regex', pattern: root.pattern }
    case 'grammar':
      return { type: 'grammar', grammar: root.grammar }
    case 'structural':
      return root.format
  }
}
