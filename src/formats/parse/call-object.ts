/** One call written as an object, `{"name": …, "arguments": {…}}`, read while it comes. */
import { type CallSink, endArguments } from './call-reader.ts'
import { isSpace, JsonScanner } from './json-scanner.ts'
import { JsonStream } from './json-stream.ts'
import { isRecord, repairObject } from './repair-json.ts'

const QUOTES = ['"', "'", '”', '`', '’', '＂']
const ARGUMENT_KEYS = ['arguments', 'parameters', 'args', 'input']
/** UTF-16 units of an object that are kept for its repair. */
const MAX_RAW = 512 * 1024

type State = 'start' | 'key' | 'colon' | 'value' | 'arguments' | 'next' | 'done' | 'broken'

export class CallObject {
  #state: State = 'start'
  #raw = ''
  #key = ''
  #name: string | undefined
  /** The key or the plain value in progress. */
  #part = newPart()
  #arguments: JsonStream | undefined
  /** The arguments were something else than an object. */
  #isLost = false
  /** Arguments that came before the name. */
  #early = ''
  readonly #sink: CallSink

  constructor(sink: CallSink) {
    this.#sink = sink
  }

  get done(): boolean {
    return this.#state === 'done'
  }

  get broken(): boolean {
    return this.#state === 'broken' || this.#arguments?.broken === true
  }

  /** Inside of a JSON text: what looks like a mark is a part of it. */
  get insideText(): boolean {
    if (this.#state === 'arguments') return this.#arguments?.insideText ?? false
    return (this.#state === 'key' || this.#state === 'value') && this.#part.scanner.insideText
  }

  /** Returns how many characters belong to the object. After it broke, all do. */
  push(text: string): number {
    let index = 0
    while (index < text.length && !this.done) {
      const before = index
      if (this.#state === 'arguments') index += this.#pushArguments(text.slice(index))
      else if (this.broken) index = text.length
      else {
        this.#step(text.charAt(index))
        index++
      }
      if (this.#raw.length < MAX_RAW) this.#raw = (this.#raw + text.slice(before, index)).slice(0, MAX_RAW)
    }
    return index
  }

  /** The object is over, complete or not. */
  end(): void {
    if (this.#name === undefined) return this.#endUnnamed()
    if (!this.#arguments) return this.#endWithout()
    endArguments(this.#arguments, this.#sink)
  }

  #pushArguments(text: string): number {
    const stream = this.#arguments
    const taken = stream?.push(text) ?? 0
    if (stream?.done) this.#state = 'next'
    return taken
  }

  #step(character: string): void {
    if (this.#state === 'key' || this.#state === 'value') return this.#inPart(character)
    if (isSpace(character)) return
    if (this.#state === 'start' && character === '{') this.#begin('key')
    else if (this.#state === 'colon' && character === ':') this.#begin('value')
    else if (this.#state === 'next' && character === ',') this.#begin('key')
    else if (this.#state === 'next' && character === '}') this.#state = 'done'
    else this.#state = 'broken'
  }

  #begin(state: 'key' | 'value'): void {
    this.#state = state
    this.#part = newPart()
  }

  #inPart(character: string): void {
    const part = this.#part
    if (part.text === '') {
      if (isSpace(character)) return
      if (this.#state === 'key' && character === '}') return this.#closeEmpty()
      if (this.#state === 'key' && character !== '"') return this.#break()
      if (this.#state === 'value' && this.#isArguments(character)) return this.#beginArguments(character)
    }
    // A number or a literal ends with the character after it.
    if (part.scanner.complete && !part.scanner.done && /[\s,}]/.test(character)) return this.#endPart(character)
    if (part.scanner.feed(character) === 'broken') return this.#break()
    part.text += character
    if (part.scanner.done) this.#endPart('')
  }

  #closeEmpty(): void {
    this.#state = /^\s*\{\s*$/.test(this.#raw) ? 'done' : 'broken'
  }

  #break(): void {
    this.#state = 'broken'
  }

  #endPart(next: string): void {
    const value: unknown = JSON.parse(this.#part.text)
    if (this.#state === 'key') {
      this.#key = String(value)
      this.#state = 'colon'
      return
    }
    this.#state = 'next'
    if (this.#key === 'name' && typeof value === 'string' && value !== '') this.#setName(value)
    if (this.#isArgumentsKey() && typeof value === 'string') this.#takeText(value)
    else if (this.#isArgumentsKey() && value !== null) this.#isLost = true
    if (next !== '') this.#step(next)
  }

  #isArgumentsKey(): boolean {
    return ARGUMENT_KEYS.includes(this.#key)
  }

  #isArguments(character: string): boolean {
    return character === '{' && this.#isArgumentsKey() && !this.#arguments
  }

  #beginArguments(character: string): void {
    this.#state = 'arguments'
    this.#arguments = new JsonStream((text) => this.#emit(text), 'object')
    this.#arguments.push(character)
  }

  /** The arguments as JSON inside of a text, as OpenAI's API has them. */
  #takeText(text: string): void {
    if (this.#arguments) return
    const stream = new JsonStream((piece) => this.#emit(piece), 'object')
    stream.push(text.trim())
    this.#arguments = stream
    if (stream.broken) this.#state = 'broken'
  }

  #emit(text: string): void {
    if (this.#name === undefined) this.#early += text
    else this.#sink.arguments(text)
  }

  #setName(name: string): void {
    if (this.#name !== undefined) return
    this.#name = name
    this.#sink.begin(name)
    if (this.#early !== '') this.#sink.arguments(this.#early)
    this.#early = ''
  }

  #endWithout(): void {
    const value = this.#state === 'done' ? undefined : argumentsOf(repairObject(this.#raw))
    this.#sink.arguments(value ? JSON.stringify(value) : '{}')
    this.#sink.end(this.#state !== 'done' || this.#isLost)
  }

  /** Broken before its name, or the name lies deeper (`{"function": {"name": …}}`); without any it was no call. */
  #endUnnamed(): void {
    const whole = repairObject(this.#raw)
    const call = isRecord(whole?.function) ? whole.function : whole
    const name = call?.name ?? call?.tool ?? (typeof whole?.function === 'string' ? whole.function : undefined)
    if (typeof name !== 'string' || name === '') return this.#sink.text(this.#raw)
    // A name that was cut off is no name.
    if (!QUOTES.some((quote) => this.#raw.includes(name + quote))) return
    this.#sink.begin(name)
    this.#sink.arguments(JSON.stringify(argumentsOf(call) ?? {}))
    this.#sink.end(this.#state !== 'done')
  }
}

function newPart(): { scanner: JsonScanner; text: string } {
  return { scanner: new JsonScanner(), text: '' }
}

function argumentsOf(call: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  const value = ARGUMENT_KEYS.map((key) => call?.[key]).find((candidate) => candidate !== undefined)
  if (typeof value === 'string') return repairObject(value)
  return isRecord(value) ? value : undefined
}
