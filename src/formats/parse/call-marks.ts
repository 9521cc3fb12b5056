/** Which marks begin calls in an answer, and who reads on from each. */
import type { Tool } from '../../shared/generate.ts'
import type { AnswerDialect } from '../answer-dialect.ts'
import type { ToolSyntax } from '../tool-syntax.ts'
import type { CallReader, CallSink } from './call-reader.ts'
import { createDsmlReader } from './dsml-calls.ts'
import { createElementCallReader, elementsFollow } from './element-calls.ts'
import { createJsonCallReader } from './json-calls.ts'
import { createNamedCallReader } from './named-calls.ts'
import type { TextWindow } from './text-window.ts'

type MarkedSyntax = Exclude<ToolSyntax, { type: 'harmony' }>

/** White space between a mark and its first bracket. */
const MAX_SPACE = 64

export class CallMarks {
  /** Where calls begin. Empty when there are no tools. */
  readonly opens: readonly string[]
  /** Control tokens that no text holds: dropped wherever they stand. */
  readonly strays: readonly string[]
  /** Ends of calls that are ordinary text elsewhere: dropped right behind calls. */
  readonly closes: readonly string[]
  readonly #syntaxes: readonly MarkedSyntax[]
  readonly #tools: readonly Tool[]
  readonly #sink: CallSink

  constructor(dialect: AnswerDialect, tools: readonly Tool[], sink: CallSink) {
    const all = tools.length > 0 ? [dialect.tools, ...(dialect.alsoReads ?? [])] : []
    this.#syntaxes = all.filter((syntax) => syntax.type !== 'harmony')
    this.#tools = tools
    this.#sink = sink
    this.opens = unique(this.#syntaxes.flatMap((syntax) => syntax.marks.opens))
    this.strays = unique(this.#syntaxes.flatMap(straysOf)).filter((mark) => !this.opens.includes(mark))
    this.closes = unique(this.#syntaxes.flatMap(closesOf))
  }

  get bare(): boolean {
    return this.#syntaxes.some((syntax) => syntax.type === 'json' && syntax.bare)
  }

  readonly isTool = (name: string): boolean => this.#tools.some((tool) => tool.name === name)

  bareReader(): CallReader | undefined {
    const syntax = this.#syntaxes.find((one) => one.type === 'json' && one.bare)
    return syntax && this.#reader(syntax)
  }

  /** `window` begins with the mark. `no`: what follows shows that the mark is only spoken about. */
  readerFor(mark: string, window: TextWindow): CallReader | 'no' | 'wait' {
    let waits = false
    for (const syntax of this.#syntaxes) {
      if (!syntax.marks.opens.includes(mark)) continue
      const follows = followsMark(syntax, mark, window)
      if (follows === 'yes') return this.#reader(syntax)
      waits ||= follows === 'wait'
    }
    return waits ? 'wait' : 'no'
  }

  #reader(syntax: MarkedSyntax): CallReader {
    switch (syntax.type) {
      case 'json':
        return createJsonCallReader(syntax, this.#sink)
      case 'named':
        return createNamedCallReader(syntax, this.#sink)
      case 'elements':
        return createElementCallReader(syntax, this.#tools, this.#sink)
      case 'dsml':
        return createDsmlReader(this.#tools, this.#sink)
    }
  }
}

function followsMark(syntax: MarkedSyntax, mark: string, { text, ended }: TextWindow): 'yes' | 'no' | 'wait' {
  if (syntax.type === 'dsml') return 'yes'
  const rest = text.slice(mark.length)
  return syntax.type === 'elements' ? elementsFollow(syntax, mark, { text: rest, ended }) : followsWell(syntax, rest, ended)
}

/** Objects begin with a bracket or a fence; a name begins with neither. */
function followsWell(syntax: MarkedSyntax, rest: string, ended: boolean): 'yes' | 'no' | 'wait' {
  const visible = rest.trimStart()
  if (isControlMark(syntax)) return 'yes'
  if (rest.length - visible.length > MAX_SPACE) return 'no'
  // Cut off right behind the mark: nobody wants to read the mark.
  if ('```'.startsWith(visible)) return ended ? 'yes' : 'wait'
  return /^(?:\{|\[|```)/.test(visible) === (syntax.type === 'json') ? 'yes' : 'no'
}

/** Control tokens are never spoken about. */
function isControlMark(syntax: MarkedSyntax): boolean {
  return syntax.type === 'named' && syntax.marks.closes.length > 0
}

function straysOf(syntax: MarkedSyntax): string[] {
  switch (syntax.type) {
    case 'named':
      return [...syntax.marks.callCloses, ...syntax.marks.closes, ...syntax.marks.callOpens]
    case 'dsml':
      return ['function_calls', 'tool_calls', 'calls', 'invoke', 'parameter'].flatMap((name) => [
        `</｜DSML｜${name}>`,
        `</｜DSML｜ ${name}>`,
      ])
    case 'json':
    case 'elements':
      return []
  }
}

function closesOf(syntax: MarkedSyntax): readonly string[] {
  if (syntax.type === 'elements') return [...syntax.marks.callCloses, ...syntax.marks.closes]
  return syntax.type === 'json' ? syntax.marks.closes : []
}

function unique(marks: readonly string[]): string[] {
  return [...new Set(marks)]
}
