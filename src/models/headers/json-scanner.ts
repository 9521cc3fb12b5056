/**
 * Reads JSON piece by piece where the shape is known (RFC 8259). For what strangers wrote: JSON.parse would build any nonsense in memory
 * first (a hundred million opening brackets), and forgets that a key came twice.
 */
export class JsonScanner {
  readonly #text: Buffer
  readonly #fail: (reason: string) => Error
  #at = 0

  /** `fail` makes the error to throw. */
  constructor(text: Uint8Array, fail: (reason: string) => Error) {
    this.#text = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
    this.#fail = fail
  }

  /** Calls `member` for each key; it must read the value. */
  object(member: (key: string) => void, keyBytes = 4096): void {
    this.#expect(0x7b)
    if (this.#tryTake(0x7d)) return
    do {
      const key = this.string(keyBytes)
      this.#expect(0x3a)
      member(key)
    } while (this.#tryTake(0x2c))
    this.#expect(0x7d)
  }

  array(element: () => void): void {
    this.#expect(0x5b)
    if (this.#tryTake(0x5d)) return
    do element()
    while (this.#tryTake(0x2c))
    this.#expect(0x5d)
  }

  string(limitBytes: number): string {
    this.#expect(0x22)
    const start = this.#at
    let hasEscape = false
    for (;;) {
      const byte = this.#text[this.#at]
      if (byte === undefined) throw this.#fail('its header ends inside a text')
      if (byte === 0x22) break
      if (byte < 0x20) throw this.#fail('its header has a raw control character in a text')
      if (byte === 0x5c) hasEscape = true
      this.#at += byte === 0x5c ? 2 : 1
      if (this.#at - start > limitBytes) throw this.#fail(`its header has a text of more than ${limitBytes} bytes`)
    }
    const raw = this.#text.toString('utf8', start, this.#at)
    this.#at += 1
    return hasEscape ? this.#unescape(raw) : raw
  }

  /** A whole number of 0 … 2^53 − 1. */
  natural(): number {
    this.#skipSpace()
    const start = this.#at
    let value = 0
    for (let byte = this.#text[this.#at]; byte !== undefined && byte >= ZERO && byte <= ZERO + 9; byte = this.#text[this.#at]) {
      value = value * 10 + (byte - ZERO)
      this.#at += 1
      if (value > Number.MAX_SAFE_INTEGER) break
    }
    const digits = this.#at - start
    if (digits === 0 || value > Number.MAX_SAFE_INTEGER || (digits > 1 && this.#text[start] === ZERO))
      throw this.#fail('its header has something else where a length belongs')
    return value
  }

  /** Any value, thrown away; nested at most `depth` deep. */
  skip(depth = 16): void {
    if (depth === 0) throw this.#fail('its header is nested too deeply')
    const first = this.peek()
    if (first === '{') return this.object(() => this.skip(depth - 1))
    if (first === '[') return this.array(() => this.skip(depth - 1))
    if (first === '"') return void this.string(16_000_000)
    const start = this.#at
    while (/[\w+.-]/.test(String.fromCodePoint(this.#text[this.#at] ?? 0)) && this.#at - start < 64) this.#at += 1
    if (!/^(true|false|null|-?\d[\d.eE+-]*)$/.test(this.#text.toString('latin1', start, this.#at)))
      throw this.#fail('its header is not JSON')
  }

  /** The next character that is not space; empty at the end. */
  peek(): string {
    this.#skipSpace()
    const byte = this.#text[this.#at]
    return byte === undefined ? '' : String.fromCodePoint(byte)
  }

  /** Nothing but space may follow. */
  end(): void {
    if (this.peek() !== '') throw this.#fail('something follows its header')
  }

  #unescape(raw: string): string {
    try {
      return JSON.parse(`"${raw}"`) as string
    } catch {
      throw this.#fail('its header has a broken text')
    }
  }

  #expect(byte: number): void {
    if (this.#tryTake(byte)) return
    throw this.#fail(`its header is not what it should be at byte ${this.#at} ("${String.fromCodePoint(byte)}" expected)`)
  }

  /** Bytes, not characters: this runs a hundred million times for the largest header. */
  #tryTake(byte: number): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== byte) return false
    this.#at += 1
    return true
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#text[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at += 1
    }
  }
}

const ZERO = 0x30
