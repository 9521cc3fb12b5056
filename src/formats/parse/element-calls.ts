/**
 * Reads calls with an element for each parameter: Qwen3-Coder's and GLM's tags, by the marks of their syntax.
 *
 *   open ──callOpen──▶ name ──▶ inside ──keyOpen──▶ key ──▶ lead ──▶ value ──▶ inside … ──callClose──▶ after ──▶ open, or done
 */
import type { Tool } from '../../shared/generate.ts'
import type { ElementCallSyntax } from '../tool-syntax.ts'
import type { CallReader, CallSink, ReadResult } from './call-reader.ts'
import { ParameterCall } from './parameter-call.ts'
import { cutMark, dropSpace, type FoundMark, findMark, heldForMarks, mayBecomeMark, startingMark, type TextWindow } from './text-window.ts'

/** UTF-16 units of a name. */
const MAX_NAME = 256
/** White space between a key and its value. */
const MAX_SPACE = 64

type State = 'open' | 'name' | 'inside' | 'key' | 'lead' | 'value' | 'after'
type Step = ReadResult | 'again'

export function createElementCallReader(syntax: ElementCallSyntax, tools: readonly Tool[], sink: CallSink): CallReader {
  const { marks } = syntax
  let state: State = 'open'
  let call: ParameterCall | undefined
  /** A line break that belongs to the tag behind it, if that comes. */
  let lineBreak = ''
  let isFirst = false

  const read = (window: TextWindow): ReadResult => {
    for (;;) {
      const result = steps[state](window)
      if (result === 'done') endCall(true)
      if (result !== 'again') return result
    }
  }

  const go = (next: State): 'again' => {
    state = next
    return 'again'
  }

  const endCall = (cut: boolean): void => {
    call?.end(cut)
    call = undefined
  }

  const open = (window: TextWindow): Step => {
    dropSpace(window)
    const mark = startingMark(window.text, marks.opens)
    if (!mark) return mayBecomeMark(window, marks.opens) ? 'wait' : 'done'
    window.text = window.text.slice(mark.length)
    return marks.callOpens.includes(mark) ? go('name') : 'again'
  }

  const name = (window: TextWindow): Step => {
    dropSpace(window)
    const found = findMark(window.text, [...marks.nameEnds, ...marks.keyOpens, ...marks.callCloses])
    // A name that was cut off is no name.
    if (!found) return endOfText(window)
    const text = takeName(window, found, marks.nameEnds)
    if (text !== '') call = new ParameterCall(text, { tools, sink, python: syntax.python })
    return go('inside')
  }

  /** Between the parameters. */
  const inside = (window: TextWindow): Step => {
    const known = [...marks.keyOpens, ...marks.valueCloses, ...marks.callCloses, ...marks.closes]
    const found = findMark(window.text, known)
    const end = found ? found.index : window.text.length - heldForMarks(window, known)
    call?.writeLoose(window.text.slice(0, end))
    window.text = window.text.slice(end + (found?.mark.length ?? 0))
    if (!found) return window.ended ? 'done' : 'wait'
    if (marks.keyOpens.includes(found.mark)) return go('key')
    if (marks.valueCloses.includes(found.mark)) return 'again'
    endCall(!marks.callCloses.includes(found.mark))
    return marks.closes.includes(found.mark) || marks.closes.length === 0 ? 'done' : go('after')
  }

  const key = (window: TextWindow): Step => {
    const found = findMark(window.text, marks.keyEnds)
    if (!found) return endOfText(window)
    const text = takeName(window, found, marks.keyEnds)
    if (text === '') return go('inside')
    call?.beginParameter(text)
    isFirst = true
    // The line break was the end of the key already.
    if (found.mark === '\n') isFirst = false
    return go(marks.valueOpens.length > 0 ? 'lead' : 'value')
  }

  const lead = (window: TextWindow): Step => {
    const visible = window.text.trimStart()
    const mark = startingMark(visible, marks.valueOpens)
    if (mark) window.text = visible.slice(mark.length)
    else if (!window.ended && visible.length < MAX_SPACE && marks.valueOpens.some((one) => one.startsWith(visible))) return 'wait'
    return go('value')
  }

  const value = (window: TextWindow): Step => {
    const ends = [...marks.valueCloses, ...marks.valueEdges]
    const found = findMark(window.text, ends)
    const held = window.ended ? cutMark(window.text, ends) : heldForMarks(window, ends)
    const end = found ? found.index : window.text.length - held
    writeValue(window.text.slice(0, end))
    if (!found) {
      window.text = window.ended ? '' : window.text.slice(end)
      return window.ended ? 'done' : 'wait'
    }
    window.text = window.text.slice(end + (marks.valueCloses.includes(found.mark) ? found.mark.length : 0))
    lineBreak = ''
    call?.endParameter()
    return go('inside')
  }

  const writeValue = (text: string): void => {
    if (!syntax.ownLines) return call?.write(text)
    if (text === '') return
    const whole = lineBreak + (isFirst && text.startsWith('\n') ? text.slice(1) : text)
    isFirst = false
    lineBreak = whole.endsWith('\n') ? '\n' : ''
    call?.write(whole.slice(0, whole.length - lineBreak.length))
  }

  /** Behind a call, perhaps in an outer tag: another one, or the end of that tag. */
  const after = (window: TextWindow): Step => {
    dropSpace(window)
    const close = startingMark(window.text, marks.closes)
    if (close) window.text = window.text.slice(close.length)
    else if (startingMark(window.text, marks.callOpens)) return go('open')
    else if (!window.ended && mayBecomeMark(window, [...marks.closes, ...marks.callOpens])) return 'wait'
    return 'done'
  }

  const steps: Record<State, (window: TextWindow) => Step> = { open, name, inside, key, lead, value, after }
  return { read }
}

/** The text up to the mark, without quotes; the mark goes too when it is one of `own`. */
function takeName(window: TextWindow, { index, mark }: FoundMark, own: readonly string[]): string {
  const text = window.text.slice(0, index)
  window.text = window.text.slice(index + (own.includes(mark) ? mark.length : 0))
  return text.trim().replace(/^["']|["']$/g, '')
}

/** No name is this long: what follows is dropped with it. */
function endOfText(window: TextWindow): ReadResult {
  if (!window.ended && window.text.length <= 4 * MAX_NAME) return 'wait'
  window.text = ''
  return 'done'
}
