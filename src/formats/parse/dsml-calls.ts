/**
 * Reads DeepSeek's markup of V3.2, V4 and V4.1 alike, and makes JSON of the arguments while they come.
 * Where the official decoder refuses the whole answer this goes on: a parameter that is given twice counts the first time, a missing end tag ends with
 * its parent, JSON that is none becomes a text.
 */
import type { Tool } from '../../shared/generate.ts'
import { type CallReader, type CallSink, type ReadResult } from './call-reader.ts'
import { JsonStream } from './json-stream.ts'
import { completion, repairObject } from './repair-json.ts'
import { findMark, heldForMarks, type TextWindow } from './text-window.ts'

const TAG_BEGINS = ['<｜DSML｜', '</｜DSML｜'] as const
/** UTF-16 units of a tag, from `<` to `>`. */
const MAX_TAG = 2048
/** Text between tags that may turn out to be the arguments as JSON. */
const MAX_LOOSE = 64 * 1024

type Tag =
  | { type: 'block' | 'block-end' | 'invoke-end' | 'parameter-end' | 'unknown' }
  | { type: 'invoke'; name: string }
  | { type: 'parameter'; name: string; isString: boolean | undefined }

type State = 'block' | 'call' | 'value'

export function createDsmlReader(tools: readonly Tool[], sink: CallSink): CallReader {
  let state: State = 'block'
  let call: DsmlCall | undefined

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
      call?.write(plain, state === 'value')
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
        call = new DsmlCall(tag.name, tools, sink)
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

class DsmlCall {
  readonly #sink: CallSink
  readonly #schema: unknown
  readonly #names = new Set<string>()
  #value: 'none' | 'text' | 'ignored' | JsonStream = 'none'
  #loose = ''
  #repaired = false

  constructor(name: string, tools: readonly Tool[], sink: CallSink) {
    this.#sink = sink
    this.#schema = tools.find((tool) => tool.name === name)?.parameters?.properties
    sink.begin(name)
  }

  write(text: string, inValue: boolean): void {
    if (!inValue) {
      this.#loose = (this.#loose + text).slice(0, MAX_LOOSE)
    } else if (this.#value === 'text') this.#sink.arguments(escapeText(text))
    else if (typeof this.#value === 'object') this.#value.push(text)
  }

  beginParameter(name: string, isString: boolean | undefined): void {
    this.endParameter()
    if (this.#names.has(name)) {
      this.#repaired = true
      this.#value = 'ignored'
      return
    }
    this.#sink.arguments(`${this.#names.size === 0 ? '{' : ', '}${JSON.stringify(name)}: `)
    this.#names.add(name)
    if (isString ?? this.#wantsText(name)) {
      this.#sink.arguments('"')
      this.#value = 'text'
    } else this.#value = new JsonStream(this.#sink.arguments)
  }

  endParameter(): void {
    if (this.#value === 'text') this.#sink.arguments('"')
    else if (typeof this.#value === 'object') this.#endJson(this.#value)
    this.#value = 'none'
  }

  /** `cut`: a tag that should have come is missing. */
  end(cut: boolean): void {
    this.endParameter()
    if (this.#names.size > 0) this.#sink.arguments('}')
    else this.#endWithoutParameters()
    this.#sink.end(this.#repaired || cut)
  }

  #endJson(stream: JsonStream): void {
    const missing = stream.rest.trim()
    if (stream.complete && !stream.done) stream.flush()
    else if (!stream.done) {
      this.#repaired = true
      if (stream.sent !== '') stream.append(completion(stream.sent))
      else stream.append(missing === '' ? 'null' : JSON.stringify(missing))
    }
  }

  /** Some write the arguments as one JSON object inside of the call. */
  #endWithoutParameters(): void {
    const loose = this.#loose.trim()
    const value = loose === '' ? undefined : repairObject(loose)
    if (loose !== '') this.#repaired = true
    this.#sink.arguments(value ? JSON.stringify(value) : '{}')
  }

  #wantsText(name: string): boolean {
    const schema = this.#schema
    if (typeof schema !== 'object' || schema === null || !Object.hasOwn(schema, name)) return false
    const property: unknown = Object.entries(schema).find(([key]) => key === name)?.[1]
    return typeof property === 'object' && property !== null && 'type' in property && property.type === 'string'
  }
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

/** As JSON writes a text, one piece at a time (a pair of surrogates may be cut in two, so JSON.stringify cannot be used). */
function escapeText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/["\\\u0000-\u001f]/g, (character) => JSON.stringify(character).slice(1, -1))
}
