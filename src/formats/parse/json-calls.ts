/** Reads calls written as objects: in tags (Hermes, Qwen), in a list (old Mistral), or bare (Llama 3, generic). */
import type { JsonCallSyntax } from '../tool-syntax.ts'
import { CallObject } from './call-object.ts'
import type { CallReader, CallSink, ReadResult } from './call-reader.ts'
import { findMark, heldForMarks, mayBecomeMark, startingMark, type TextWindow } from './text-window.ts'

const FENCE = '```'
type State = 'open' | 'object' | 'after'

export function createJsonCallReader({ marks, separator }: JsonCallSyntax, sink: CallSink): CallReader {
  let state: State = 'open'
  let inList = false
  let tagged = false
  let fenced = false
  let object = new CallObject(sink)

  const read = (window: TextWindow): ReadResult => {
    for (;;) {
      const result = steps[state](window)
      if (result !== 'again') return result
    }
  }

  /** The mark, a fence, the list's bracket; then the first object. */
  const open = (window: TextWindow): ReadResult | 'again' => {
    window.text = window.text.trimStart()
    const mark = startingMark(window.text, marks.opens)
    if (mark && !tagged) {
      tagged = true
      window.text = window.text.slice(mark.length)
      return 'again'
    }
    if (window.text === '' || mayBecomeMark(window, [FENCE])) return window.ended ? 'done' : 'wait'
    if (window.text.startsWith(FENCE)) return dropFence(window)
    if (window.text.startsWith('[') && !inList) {
      inList = true
      window.text = window.text.slice(1)
      return 'again'
    }
    if (!window.text.startsWith('{')) {
      state = 'after'
      return 'again'
    }
    object = new CallObject(sink)
    state = 'object'
    return 'again'
  }

  const dropFence = (window: TextWindow): ReadResult | 'again' => {
    const [fence = FENCE] = /^```[a-z_]{0,16}/.exec(window.text) ?? []
    if (fence.length === window.text.length && !window.ended) return 'wait'
    window.text = window.text.slice(fence.length)
    fenced = true
    return 'again'
  }

  const inObject = (window: TextWindow): ReadResult | 'again' => {
    if (object.broken) return inBroken(window)
    const { text } = window
    const close = findMark(text, marks.closes)
    if (close?.index === 0 && !object.insideText) return endObject()
    // Up to the mark; over its first character when it stands inside of a JSON text.
    const sure = close ? Math.max(close.index, 1) : text.length - heldForMarks(window, marks.closes)
    const taken = object.push(text.slice(0, sure))
    window.text = text.slice(taken)
    if (object.done || (window.ended && window.text === '')) return endObject()
    return taken > 0 ? 'again' : 'wait'
  }

  const inBroken = (window: TextWindow): ReadResult | 'again' => {
    const close = findMark(window.text, marks.closes)
    const sure = close ? close.index : window.text.length - heldForMarks(window, marks.closes)
    object.push(window.text.slice(0, sure))
    window.text = window.text.slice(sure)
    return close || window.ended ? endObject() : 'wait'
  }

  const endObject = (): 'again' => {
    object.end()
    state = 'after'
    return 'again'
  }

  /** Behind an object: a bracket too many, a fence, the next object, or the mark that closes. */
  const after = (window: TextWindow): ReadResult | 'again' => {
    window.text = window.text.replace(tagged ? /^[\s}`]+/ : fenced ? /^[\s`]+/ : /^\s+/, '')
    const { text, ended } = window
    const close = startingMark(text, marks.closes)
    if (close) {
      window.text = text.slice(close.length)
      return 'done'
    }
    if (text === '' || mayBecomeMark(window, marks.closes)) return ended ? 'done' : 'wait'
    if (inList && text.startsWith(']')) {
      window.text = text.slice(1)
      inList = false
      return marks.closes.length > 0 ? 'again' : 'done'
    }
    if ((inList && text.startsWith(',')) || (separator.startsWith(';') && text.startsWith(';'))) return nextObject(window, 1)
    return tagged && text.startsWith('{') && marks.closes.length > 0 ? nextObject(window, 0) : 'done'
  }

  const nextObject = (window: TextWindow, skip: number): ReadResult | 'again' => {
    const rest = window.text.slice(skip).trimStart()
    if (rest === '' && !window.ended) return 'wait'
    if (!rest.startsWith('{')) return 'done'
    window.text = rest
    state = 'open'
    return 'again'
  }

  const steps: Record<State, (window: TextWindow) => ReadResult | 'again'> = { open, object: inObject, after }
  return { read }
}
