/** Which marks begin calls in an answer, and who reads on from each. */
import type { Tool } from '../../shared/generate.ts'
import type { AnswerDialect } from '../answer-dialect.ts'
import type { CallReader, CallSink } from './call-reader.ts'
import { createDsmlReader } from './dsml-calls.ts'
import { createElementCallReader } from './element-calls.ts'
import { createJsonCallReader } from './json-calls.ts'
import { followsInFence, followsMark, type MarkedSyntax, type Verdict } from './mark-follows.ts'
import { createNamedCallReader } from './named-calls.ts'
import type { TextWindow } from './text-window.ts'

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
  readerFor(mark: string, { text, ended }: TextWindow, inFence: boolean): CallReader | 'no' | 'wait' {
    const behind = { text: text.slice(mark.length), ended }
    for (const syntax of this.#syntaxes) {
      if (!syntax.marks.opens.includes(mark)) continue
      const follows = this.#follows(syntax, mark, behind, inFence)
      // A later syntax does not come before this one has said no: else the cuts would decide between them.
      if (follows !== 'no') return follows === 'wait' ? 'wait' : this.#reader(syntax)
    }
    return 'no'
  }

  #follows(syntax: MarkedSyntax, mark: string, behind: TextWindow, inFence: boolean): Verdict {
    const follows = followsMark(syntax, mark, behind)
    return inFence && follows === 'yes' ? followsInFence(syntax, mark, behind, this.isTool) : follows
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
