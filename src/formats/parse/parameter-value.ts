/**
 * The value of one parameter that stands between tags (DeepSeek's markup, Qwen3-Coder, GLM) → JSON while it comes. What the tool's schema says
 * decides between text and JSON; where it is silent, what the model says (`string="false"`), and else how the value looks.
 * What should be JSON and is none is a text: nothing that the model wrote is lost, and the call says that it was repaired.
 */
import { jsonrepair } from 'jsonrepair'
import { JsonStream } from './json-stream.ts'
import { allows, jsonTypeOf, type JsonType } from './parameter-types.ts'
import { repairedRest } from './repair-json.ts'

export interface ValueHints {
  /** From the schema; undefined: anything. */
  types: ReadonlySet<JsonType> | undefined
  /** What the model says itself, where its syntax has a word for it. */
  saysText: boolean | undefined
  /** The prompt shows `True` and `None` in Python's way, so the model does too. */
  python: boolean
}

/** `either`: JSON when it is valid and no text in quotes, else text. */
type Reading = 'text' | 'json' | 'either'
/** `scalar`: read as a whole at its end. */
type State = 'undecided' | 'scalar' | 'text' | 'structure'

/** UTF-16 units of a list or an object that must be right before any of it is sent: later it can only be closed, not become a text. */
const HOLD = 64
/** White space in front of a value beyond this: it is none that is sent as it comes. */
const MAX_SPACE = 64
/** A number or a literal, or the beginning of one. */
const SCALAR_BEGIN = /^\s{0,64}[-+.\w]{0,64}\s{0,64}$/
const PYTHON_LITERALS: Record<string, string> = { True: 'true', False: 'false', None: 'null' }
const MAX_REPAIRED = 16 * 1024

export class ParameterValue {
  readonly #emit: (text: string) => void
  readonly #hints: ValueHints
  readonly #reading: Reading
  #state: State = 'undecided'
  #raw = ''
  #stream = new JsonStream(() => {})
  /** Of the list or object; undefined once it is sent as it comes. */
  #held: string | undefined = ''
  /** Behind the list or object. */
  #extra = ''

  constructor(emit: (text: string) => void, hints: ValueHints) {
    this.#emit = emit
    this.#hints = hints
    this.#reading = readingOf(hints)
    if (this.#reading === 'text' && hints.saysText !== false) this.#beginText()
  }

  push(text: string): void {
    for (let start = 0; start < text.length;) {
      const piece = text.slice(start, this.#state === 'undecided' ? start + 1 : undefined)
      start += piece.length
      this.#take(piece)
    }
  }

  /** Returns whether what was sent is not what the model wrote. */
  end(): boolean {
    switch (this.#state) {
      case 'text':
        this.#emit('"')
        return this.#hints.saysText === false
      case 'structure':
        return this.#endStructure()
      case 'undecided':
      case 'scalar':
        return this.#endScalar()
    }
  }

  #take(piece: string): void {
    switch (this.#state) {
      case 'text':
        return this.#emit(escapeText(piece))
      case 'structure':
        return this.#takeStructure(piece)
      case 'scalar':
        this.#raw += piece
        return
      case 'undecided':
        this.#raw += piece
        return this.#decide()
    }
  }

  #decide(): void {
    const first = this.#raw.trimStart().charAt(0)
    if (first === '' && this.#raw.length <= MAX_SPACE) return
    const isStructure = first === '{' || first === '['
    if (this.#reading === 'text') {
      // Said to be JSON, but a text is wanted: in quotes it is both.
      if (first === '"') this.#state = 'scalar'
      else this.#beginText()
    } else if (isStructure) this.#beginStructure()
    else if (this.#reading === 'json') this.#state = 'scalar'
    else if (first === '' || !SCALAR_BEGIN.test(this.#raw)) this.#beginText()
  }

  #beginText(): void {
    this.#state = 'text'
    this.#emit(`"${escapeText(this.#raw)}`)
  }

  #beginStructure(): void {
    this.#state = 'structure'
    this.#stream = new JsonStream((text) => {
      if (this.#held === undefined) this.#emit(text)
      else this.#held += text
    })
    const begun = this.#raw
    this.#raw = ''
    this.#takeStructure(begun)
  }

  #takeStructure(piece: string): void {
    if (this.#held === undefined) return this.#feed(piece)
    // Only as far as the hold goes, so that the result does not depend on the cuts.
    const most = Math.max(0, HOLD - this.#raw.length)
    this.#raw += piece
    this.#feed(piece.slice(0, most))
    if (this.#raw.length < HOLD) return
    if (!this.#stream.broken && !this.#stream.done) {
      this.#emit(this.#held)
      this.#held = undefined
      this.#raw = ''
    }
    this.#feed(piece.slice(most))
  }

  #feed(text: string): void {
    const taken = this.#stream.push(text)
    this.#extra += text.slice(taken)
  }

  #endStructure(): boolean {
    if (this.#held !== undefined) return this.#endHeld()
    const stream = this.#stream
    if (!stream.done) stream.append(repairedRest(stream.sent, stream.rest, 'value'))
    else return this.#extra.trim() !== ''
    return true
  }

  /** Nothing is sent yet. */
  #endHeld(): boolean {
    const raw = this.#raw.trim()
    if (this.#stream.done && this.#extra.trim() === '') {
      const isWanted = this.#reading === 'json' || this.#isAllowed(JSON.parse(raw))
      if (isWanted) return this.#send(raw, this.#hints.saysText === true)
    } else if (this.#reading === 'json') {
      const repaired = repairedStructure(raw)
      if (repaired !== undefined) return this.#send(repaired, true)
    }
    return this.#sendText(this.#raw)
  }

  #endScalar(): boolean {
    const raw = this.#raw.trim()
    const value = parsed(raw)
    if (this.#reading === 'text') {
      if (typeof value === 'string') return this.#send(raw, false)
      return this.#sendText(this.#raw)
    }
    if (this.#reading === 'either') {
      const literal = value === undefined ? this.#pythonLiteral(raw) : raw
      if (literal === undefined || typeof value === 'string' || !this.#isAllowed(JSON.parse(literal))) return this.#sendText(this.#raw)
      return this.#send(literal, false)
    }
    if (raw === '') return this.#send('null', true)
    return this.#endJsonScalar(raw, value)
  }

  #endJsonScalar(raw: string, value: unknown): boolean {
    if (typeof value === 'string' && !this.#isAllowed(value)) {
      const inner = parsed(value)
      // A number in quotes, where a number is wanted.
      if (inner !== undefined && this.#isAllowed(inner)) return this.#send(value.trim(), true)
    }
    if (value !== undefined) return this.#send(raw, this.#hints.saysText === true)
    const literal = this.#pythonLiteral(raw)
    if (literal !== undefined) return this.#send(literal, !this.#hints.python)
    const number = this.#looseNumber(raw)
    return number === undefined ? this.#sendText(raw) : this.#send(number, true)
  }

  #pythonLiteral(raw: string): string | undefined {
    if (Object.hasOwn(PYTHON_LITERALS, raw)) return PYTHON_LITERALS[raw]
    return this.#hints.types?.has('boolean') && /^(?:true|false)$/i.test(raw) ? raw.toLowerCase() : undefined
  }

  /** `+5`, `.5`, `007`: no JSON, but a number for sure where one is wanted. */
  #looseNumber(raw: string): string | undefined {
    const { types } = this.#hints
    if (!types || !(types.has('number') || types.has('integer')) || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(raw)) return undefined
    const number = Number(raw)
    return Number.isFinite(number) ? JSON.stringify(number) : undefined
  }

  #isAllowed(value: unknown): boolean {
    const { types } = this.#hints
    return types === undefined || allows(types, jsonTypeOf(value))
  }

  #send(json: string, isRepaired: boolean): boolean {
    this.#emit(json)
    return isRepaired
  }

  /** Without quotes it is a text only where it may be one. */
  #sendText(text: string): boolean {
    this.#emit(`"${escapeText(this.#reading === 'json' ? text.trim() : text)}"`)
    return this.#reading === 'either' ? false : this.#hints.saysText !== true
  }
}

function readingOf({ types, saysText }: ValueHints): Reading {
  const text = types?.has('string')
  if (types && (!text || types.size === 1)) return text ? 'text' : 'json'
  return saysText === undefined ? 'either' : saysText ? 'text' : 'json'
}

/** A list or an object in brackets, with what jsonrepair can mend. */
function repairedStructure(raw: string): string | undefined {
  const closes = raw.startsWith('{') ? '}' : ']'
  const isCut = !raw.endsWith(closes) && parsed(raw) === undefined
  try {
    if (raw.length > MAX_REPAIRED || (isCut && !mayBeCut(raw))) return undefined
    const repaired = jsonrepair(raw)
    const value: unknown = JSON.parse(repaired)
    return typeof value === 'object' && value !== null && Array.isArray(value) === (closes === ']') ? repaired : undefined
  } catch {
    // Then it is a text.
    return undefined
  }
}

/** Right so far, and only its end is missing. */
function mayBeCut(raw: string): boolean {
  const stream = new JsonStream(() => {})
  stream.push(raw)
  return !stream.broken && !stream.done
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // JSON has no `undefined`.
    return undefined
  }
}

/** As JSON writes a text, one piece at a time (a pair of surrogates may be cut in two, so JSON.stringify cannot be used). */
function escapeText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/["\\\u0000-\u001f]/g, (character) => JSON.stringify(character).slice(1, -1))
}
