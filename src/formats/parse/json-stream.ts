/** A JSON value that is passed on while it is written, so that what was sent can always still become valid. */
import { isSpace, JsonScanner } from './json-scanner.ts'

/** White space between two tokens beyond this is left out. */
const MAX_SPACE = 64
/** UTF-16 units of invalid text that are kept for the repair. */
const MAX_REST = 256 * 1024

export class JsonStream {
  /** Everything that went out. */
  sent = ''
  /** What was written but not sent: held characters, and all that follows the first invalid one. */
  rest = ''
  broken = false
  readonly #scanner = new JsonScanner()
  readonly #emit: (text: string) => void
  readonly #kind: 'value' | 'object'
  #begun = false

  /** `kind`: arguments are always an object; anything else is broken from its first character on. */
  constructor(emit: (text: string) => void, kind: 'value' | 'object' = 'value') {
    this.#emit = emit
    this.#kind = kind
  }

  get done(): boolean {
    return this.#scanner.done && !this.broken
  }

  /** Whether the value is complete if nothing more comes. */
  get complete(): boolean {
    return this.#scanner.complete && !this.broken
  }

  get insideText(): boolean {
    return this.#scanner.insideText && !this.broken
  }

  /** Returns how many characters belong to the value; fewer than given only when it is complete. */
  push(text: string): number {
    let sure = ''
    let taken = 0
    while (taken < text.length && !this.broken && !this.#scanner.done) {
      sure += this.#feed(text.charAt(taken))
      if (!this.broken) taken++
    }
    this.#send(sure)
    if (!this.broken) return this.#settle(taken)
    if (this.rest.length < MAX_REST) this.rest = (this.rest + text.slice(taken)).slice(0, MAX_REST)
    return text.length
  }

  /** Sends what is held: for a number or a literal at the very end. */
  flush(): void {
    this.#send(this.rest.trimEnd())
    this.rest = ''
  }

  /** Sends a text that is not part of what was pushed: the repaired rest. */
  append(text: string): void {
    this.#send(text)
    this.rest = ''
  }

  #feed(character: string): string {
    const begins = !this.#begun && !isSpace(character)
    this.#begun ||= begins
    const step = begins && this.#kind === 'object' && character !== '{' ? 'broken' : this.#scanner.feed(character)
    if (step === 'broken') this.broken = true
    else if (step === 'held') this.#hold(character)
    else {
      const certain = this.rest + character
      this.rest = ''
      return certain
    }
    return ''
  }

  #hold(character: string): void {
    if (this.rest.length < MAX_SPACE + 128 || !isSpace(character)) this.rest += character
  }

  /** A text that stands alone ends with a quote that was held. */
  #settle(taken: number): number {
    if (this.#scanner.done) this.flush()
    return taken
  }

  #send(text: string): void {
    if (text === '') return
    this.sent += text
    this.#emit(text)
  }
}
