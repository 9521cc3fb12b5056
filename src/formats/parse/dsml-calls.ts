/**
 * Reads DeepSeek's markup of V3.2, V4 and V4.1 alike, and makes JSON of the arguments while they come.
 * Where the official decoder refuses the whole answer this goes on: a parameter that is given twice counts the first time, a missing end tag ends with
 * its parent, JSON that is none becomes a text (parameter-value.ts).
 */
import type { Tool } from '../../shared/generate.ts'
import type { CallReader, CallSink, ReadResult } from './call-reader.ts'
import { ParameterCall } from './parameter-call.ts'
import { findMark, heldForMarks, type TextWindow } from './text-window.ts'

const TAG_BEGINS = ['<｜DSML｜', '</｜DSML｜'] as const
/** UTF-16 units of a tag, from `<` to `>`. */
const MAX_TAG = 2048

type Tag =
  | { type: 'block' | 'block-end' | 'invoke-end' | 'parameter-end' | 'unknown' }
  | { type: 'invoke'; name: string }
  | { type: 'parameter'; name: string; isString: boolean | undefined }

type State = 'block' | 'call' | 'value'

export function createDsmlReader(tools: readonly Tool[], sink: CallSink): CallReader {
  let state: State = 'block'
  let call: ParameterCall | undefined

  const read = (window: TextWindow): ReadResult => {
    for (;;) {
      const result = step(window)
      if (result === 'done') {
        call?.end(true)
        call = undefined
      }
      if (result !== 'again') return result
    }
  }

  const step = (window: TextWindow): ReadResult | 'again' => {
    const next = findMark(window.text, TAG_BEGINS)
    const plain = window.text.slice(0, next ? next.index : window.text.length - heldForMarks(window, TAG_BEGINS))
    if (plain !== '') {
      // Text between the calls: the calls are over.
      if (state === 'block' && plain.trim() !== '') return 'done'
      window.text = window.text.slice(plain.length)
      if (state === 'value') call?.write(plain)
      else call?.writeLoose(plain)
    }
    if (!next) return window.ended ? 'done' : 'wait'
    return readTag(window)
  }

  const readTag = (window: TextWindow): ReadResult | 'again' => {
    const end = window.text.slice(0, MAX_TAG).indexOf('>')
    if (end < 0 && !window.ended && window.text.length < MAX_TAG) return 'wait'
    const text = window.text.slice(0, end < 0 ? MAX_TAG : end + 1)
    window.text = window.text.slice(text.length)
    return follow(parseTag(text))
  }

  const follow = (tag: Tag): ReadResult | 'again' => {
    switch (tag.type) {
      case 'block':
      case 'unknown':
        return 'again'
      case 'block-end':
        call?.end(state === 'value')
        call = undefined
        return 'done'
      case 'invoke':
        call?.end(true)
        call = new ParameterCall(tag.name, { tools, sink, python: false })
        state = 'call'
        return 'again'
      case 'invoke-end':
        call?.end(state === 'value')
        call = undefined
        state = 'block'
        return 'again'
      case 'parameter':
        call?.beginParameter(tag.name, tag.isString)
        if (call) state = 'value'
        return 'again'
      case 'parameter-end':
        call?.endParameter()
        if (call) state = 'call'
        return 'again'
    }
  }

  return { read }
}

function parseTag(text: string): Tag {
  const [, slash, name] = /^<(\/?)｜DSML｜ ?(\w+)/.exec(text) ?? []
  const attribute = (key: string): string | undefined => new RegExp(`\\s${key}\\s*=\\s*["']([^"']*)["']`).exec(text)?.[1]
  const ends = slash === '/'
  if (name === 'function_calls' || name === 'tool_calls' || name === 'calls') return { type: ends ? 'block-end' : 'block' }
  if (name === 'invoke') return ends ? { type: 'invoke-end' } : named({ type: 'invoke', name: attribute('name') ?? '' })
  if (name !== 'parameter') return { type: 'unknown' }
  if (ends) return { type: 'parameter-end' }
  const isString = attribute('string')
  return named({ type: 'parameter', name: attribute('name') ?? '', isString: isString === undefined ? undefined : isString === 'true' })
}

function named(tag: Extract<Tag, { name: string }>): Tag {
  return tag.name === '' ? { type: 'unknown' } : tag
}
