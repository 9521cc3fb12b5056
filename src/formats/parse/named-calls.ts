/** Reads calls whose name stands in front of the arguments: DeepSeek V3, R1, V3.1 (read alike, whichever is meant), Kimi K2, and Mistral from v11 on. */
import type { NamedCallSyntax } from '../tool-syntax.ts'
import { type CallReader, type CallSink, endArguments, type ReadResult } from './call-reader.ts'
import { JsonStream } from './json-stream.ts'
import { dropSpace, findMark, heldForMarks, mayBecomeMark, startingMark, type TextWindow } from './text-window.ts'

/** UTF-16 units between a call's beginning and its arguments. */
const MAX_HEADER = 1024
const LONGEST_MARK = 64
const SEPARATOR = /<[｜|]tool[▁_ ]sep[｜|]>|\[ARGS\]|<\|tool_call_argument_begin\|>/
/** What can be one, of any language: no quotation, no words. */
const NAME = /^[^\s`"'<>{}[\]]+$/
const CALL_ID = /\[CALL_ID\][\w-]*/

type State = 'between' | 'header' | 'arguments' | 'tail'

export function createNamedCallReader({ marks, numbered = false }: NamedCallSyntax, sink: CallSink): CallReader {
  /** What ends a call at the latest: control tokens, which no argument can hold. */
  const edges = [...marks.callCloses, ...marks.closes, ...marks.callOpens]
  let state: State = 'between'
  let stream = new JsonStream(sink.arguments, 'object')

  const read = (window: TextWindow): ReadResult => {
    for (;;) {
      const result = steps[state](window)
      if (result !== 'again') return result
    }
  }

  const between = (window: TextWindow): ReadResult | 'again' => {
    dropSpace(window)
    const opening = startingMark(window.text, [...marks.callOpens, ...marks.closes, ...marks.opens])
    if (!opening) return mayBecomeMark(window, [...edges, ...marks.opens]) || (window.text === '' && !window.ended) ? 'wait' : 'done'
    window.text = window.text.slice(opening.length)
    if (marks.closes.includes(opening)) return 'done'
    if (marks.callOpens.includes(opening)) state = 'header'
    return 'again'
  }

  /** Up to the arguments' first bracket, or to the end of a call without arguments. */
  const header = (window: TextWindow): ReadResult | 'again' => {
    const found = findMark(window.text, ['{', ...edges])
    const end = found && found.index <= MAX_HEADER ? found.index : undefined
    if (end === undefined && !window.ended && window.text.length <= MAX_HEADER + LONGEST_MARK) return 'wait'
    const text = window.text.slice(0, end ?? MAX_HEADER)
    window.text = window.text.slice(text.length)
    // A name that was cut off is no name.
    if (end === undefined && window.ended && !SEPARATOR.test(text)) return 'done'
    return beginCall(text)
  }

  const beginCall = (text: string): 'again' | 'done' => {
    const name = numbered ? withoutNumber(nameIn(text)) : nameIn(text)
    if (!NAME.test(name)) {
      // Without a name it is no call; its arguments are text.
      state = 'tail'
      return 'again'
    }
    stream = new JsonStream(sink.arguments, 'object')
    sink.begin(name)
    state = 'arguments'
    return 'again'
  }

  const readArguments = (window: TextWindow): ReadResult | 'again' => {
    const edge = findMark(window.text, edges)
    const sure = edge ? edge.index : window.text.length - heldForMarks(window, edges)
    const taken = stream.push(window.text.slice(0, sure))
    window.text = window.text.slice(taken)
    if (!stream.done && !edge && !window.ended) return 'wait'
    endArguments(stream, sink)
    state = 'tail'
    return 'again'
  }

  /** The end of a fence, a bracket too many; then the mark that closes the call. */
  const tail = (window: TextWindow): ReadResult | 'again' => {
    window.text = window.text.replace(/^[\s`}]+/, '')
    if (window.text === '' || mayBecomeMark(window, edges)) {
      if (!window.ended) return 'wait'
    }
    const close = startingMark(window.text, marks.callCloses)
    if (close) window.text = window.text.slice(close.length)
    state = 'between'
    return 'again'
  }

  const steps: Record<State, (window: TextWindow) => ReadResult | 'again'> = { between, header, arguments: readArguments, tail }
  return { read }
}

/** `function<｜tool▁sep｜>NAME` + fence (V3), `NAME<｜tool▁sep｜>` (V3.1), `NAME[CALL_ID]…[ARGS]` (Mistral). */
function nameIn(header: string): string {
  const [first = '', second] = header.replace(CALL_ID, '').split(SEPARATOR)
  const name = first.trim() === 'function' && second !== undefined ? second : first
  return (
    name
      .replace(/```\w*/, '')
      .trim()
      .split('\n')[0]
      ?.trim() ?? ''
  )
}

/** `functions.NAME:0` → `NAME`. */
function withoutNumber(id: string): string {
  return id.replace(/^functions\./, '').replace(/:\d+$/, '')
}
