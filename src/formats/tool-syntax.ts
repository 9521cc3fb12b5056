/**
 * How a model writes tool calls. Plain data: it crosses threads, the parser reads by it, and grammars are made of it (output-constraint.ts).
 * `begin`, `separator`, `end` and the texts around a call are what the model writes to the letter; `marks` are what the parser looks for,
 * which also covers the spellings that models slip into.
 */
export type ToolSyntax = JsonCallSyntax | NamedCallSyntax | ElementCallSyntax | DsmlSyntax | HarmonySyntax

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

/** The name stands in front of the arguments: `…NAME…{…}…` (DeepSeek V3, R1, V3.1; Kimi K2; Mistral from v11 on). */
export interface NamedCallSyntax extends CallBlock {
  type: 'named'
  /** Before the name. */
  callBegin: string
  /** Between the name and the arguments. */
  nameEnd: string
  callEnd: string
  /** Kimi K2: `functions.NAME:0`, the call's number in the conversation behind the name. */
  numbered?: boolean
  marks: { opens: readonly string[]; callOpens: readonly string[]; callCloses: readonly string[]; closes: readonly string[] }
}

/** One element for each argument, whose value is text or JSON as the tool's schema says (Qwen3-Coder and Qwen 3.5, GLM). */
export interface ElementCallSyntax extends CallBlock {
  type: 'elements'
  /** Before the call's name, and between it and the first parameter. */
  callBegin: string
  nameEnd: string
  parameterBegin: string
  parameterNameEnd: string
  parameterEnd: string
  callEnd: string
  /** Values are written as Python's `str()` writes them: `True`, `None`. */
  python: boolean
  /** A line break after the tag that opens a value, and one before the tag that closes it, are not part of the value. */
  ownLines: boolean
  marks: {
    opens: readonly string[]
    callOpens: readonly string[]
    nameEnds: readonly string[]
    keyOpens: readonly string[]
    keyEnds: readonly string[]
    valueOpens: readonly string[]
    valueCloses: readonly string[]
    /** They end a value whose own end is missing, and are read after it. */
    valueEdges: readonly string[]
    callCloses: readonly string[]
    closes: readonly string[]
  }
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
