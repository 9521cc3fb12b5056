/** Strict JSON (RFC 8259), one character after another: tells at once when a text can no longer become valid. */

/**
 * `sure`: this character and everything before it belongs to the value whatever follows. `held`: accepted, but what follows decides how it is to be
 * read (a quote that closes a string, a comma, a number in progress). `broken`: the text is not JSON from here on; the scanner has not moved.
 */
export type JsonStep = 'sure' | 'held' | 'broken'

type State = 'value' | 'first-value' | 'first-key' | 'key' | 'colon' | 'after' | 'string' | 'escape' | 'unicode' | 'scalar' | 'done'

/** Deeper than any tool's arguments; parsers of clients give up somewhere too. */
const MAX_DEPTH = 200
const MAX_SCALAR = 128
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const NUMBER_BEGIN = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?(?:(?<=\d)[eE][+-]?\d*)?)?$/
const LITERALS = ['true', 'false', 'null']

export class JsonScanner {
  /** The closing brackets that are still owed, innermost last. */
  readonly #owed: ('}' | ']')[] = []
  #state: State = 'value'
  #stringIsKey = false
  #digits = 0
  #scalar = ''

  /** A value that ends by itself (object, list, text) is complete. */
  get done(): boolean {
    return this.#state === 'done'
  }

  /** Inside of a text (not in an escape), where any character but a control character may follow. */
  get insideText(): boolean {
    return this.#state === 'string'
  }

  /** Complete if the text ends here: also a number or a literal. */
  get complete(): boolean {
    return this.done || (this.#state === 'scalar' && this.#owed.length === 0 && isScalar(this.#scalar))
  }

  feed(character: string): JsonStep {
    switch (this.#state) {
      case 'string':
        return this.#inString(character)
      case 'escape':
        return this.#inEscape(character)
      case 'unicode':
        return this.#inUnicode(character)
      case 'scalar':
        return this.#inScalar(character)
      default:
        return isSpace(character) ? 'held' : this.#structural(character)
    }
  }

  /** What to append so that the text fed so far (all of it `sure`) becomes valid. */
  completion(): string {
    const closers = this.#owed.toReversed().join('')
    switch (this.#state) {
      case 'string':
        return (this.#stringIsKey ? '":null' : '"') + closers
      case 'colon':
        return `:null${closers}`
      case 'value':
        return `null${closers}`
      case 'key':
        return `"":null${closers}`
      default:
        return closers
    }
  }

  #inString(character: string): JsonStep {
    if (character === '\\') this.#state = 'escape'
    else if (character === '"') this.#state = this.#stringIsKey ? 'colon' : this.#afterValue()
    else return character < ' ' ? 'broken' : 'sure'
    return 'held'
  }

  #inEscape(character: string): JsonStep {
    if (character === 'u') {
      this.#state = 'unicode'
      this.#digits = 0
      return 'held'
    }
    if (!'"\\/bfnrt'.includes(character)) return 'broken'
    this.#state = 'string'
    return 'sure'
  }

  #inUnicode(character: string): JsonStep {
    if (!/^[0-9a-fA-F]$/.test(character)) return 'broken'
    if (++this.#digits < 4) return 'held'
    this.#state = 'string'
    return 'sure'
  }

  #inScalar(character: string): JsonStep {
    if (/^[-+.\w]$/.test(character)) {
      const next = this.#scalar + character
      if (!mayBecomeScalar(next)) return 'broken'
      this.#scalar = next
      return 'held'
    }
    if (!isScalar(this.#scalar)) return 'broken'
    const before = this.#state
    this.#state = this.#afterValue()
    const step = this.feed(character)
    if (step === 'broken') this.#state = before
    return step
  }

  #structural(character: string): JsonStep {
    const state = this.#state
    if (state === 'value' || state === 'first-value') return this.#beginValue(character)
    if (state === 'first-key' || state === 'key') return this.#beginKey(character)
    if (state === 'colon') return this.#expect(character, ':', 'value')
    if (state === 'after' && character === ',') {
      this.#state = this.#owed.at(-1) === '}' ? 'key' : 'value'
      return 'held'
    }
    return state === 'after' ? this.#close(character) : 'broken'
  }

  #beginValue(character: string): JsonStep {
    if (character === '{') return this.#open('}', 'first-key')
    if (character === '[') return this.#open(']', 'first-value')
    if (character === ']' && this.#state === 'first-value') return this.#close(character)
    if (character === '"') {
      this.#stringIsKey = false
      this.#state = 'string'
      return 'sure'
    }
    if (!mayBecomeScalar(character)) return 'broken'
    this.#scalar = character
    this.#state = 'scalar'
    return 'held'
  }

  #beginKey(character: string): JsonStep {
    if (character === '}' && this.#state === 'first-key') return this.#close(character)
    this.#stringIsKey = true
    return this.#expect(character, '"', 'string')
  }

  #expect(character: string, wanted: string, next: State): JsonStep {
    if (character !== wanted) return 'broken'
    this.#state = next
    return 'sure'
  }

  #open(closer: '}' | ']', next: State): JsonStep {
    if (this.#owed.length >= MAX_DEPTH) return 'broken'
    this.#owed.push(closer)
    this.#state = next
    return 'sure'
  }

  #close(character: string): JsonStep {
    if (this.#owed.at(-1) !== character) return 'broken'
    this.#owed.pop()
    this.#state = this.#afterValue()
    return 'sure'
  }

  #afterValue(): State {
    return this.#owed.length > 0 ? 'after' : 'done'
  }
}

export function isSpace(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t'
}

function mayBecomeScalar(text: string): boolean {
  return text.length <= MAX_SCALAR && (NUMBER_BEGIN.test(text) || LITERALS.some((literal) => literal.startsWith(text)))
}

function isScalar(text: string): boolean {
  return NUMBER.test(text) || LITERALS.includes(text)
}
