/**
 * How a model writes tool calls. Plain data: it crosses threads, the parser reads by it, and grammars are made of it (output-constraint.ts).
 * `begin`, `separator`, `end` and the texts around a call are what the model writes to the letter; `marks` are what the parser looks for,
 * which also covers the spellings that models slip into.
 */
export type ToolSyntax = JsonCallSyntax | NamedCallSyntax | DsmlSyntax | HarmonySyntax

interface CallBlock {
  /** Before the first call. */
  begin: string
  /** Between two calls. */
  separator: string
  /** After the last call. */
  end: string
}

/** Each call is an object: `{"name": …, "arguments": {…}}` (Hermes, Qwen, Llama 3, old Mistral, generic). */
export interface JsonCallSyntax extends CallBlock {
  type: 'json'
  callBegin: string
  callEnd: string
  argumentsKey: 'arguments' | 'parameters'
  marks: {
    /** Where calls begin. */
    opens: readonly string[]
    /** Where one call, or the list of them, ends. */
    closes: readonly string[]
  }
  /** A call may stand without marks, as the whole answer. */
  bare: boolean
}

/** The name stands in front of the arguments: `…NAME…{…}…` (DeepSeek V3, R1, V3.1; Mistral from v11 on). */
export interface NamedCallSyntax extends CallBlock {
  type: 'named'
  /** Before the name. */
  callBegin: string
  /** Between the name and the arguments. */
  nameEnd: string
  callEnd: string
  marks: { opens: readonly string[]; callOpens: readonly string[]; callCloses: readonly string[]; closes: readonly string[] }
}

/** DeepSeek's markup from V3.2 on: one element for each argument. `tag` begins every tag's name: `｜DSML｜`, and `｜DSML｜ ` in V4.1. */
export interface DsmlSyntax extends CallBlock {
  type: 'dsml'
  tag: string
  /** The element around all calls: `function_calls`, `tool_calls` or `calls`. */
  block: string
  marks: { opens: readonly string[] }
}

/** gpt-oss: a call is a message to `functions.NAME` on the commentary channel. */
export interface HarmonySyntax extends CallBlock {
  type: 'harmony'
}
