/** Whether an answer without marks is a call: `{"name": "…"` with the name of a tool, perhaps in a list or a fence. */

/** UTF-16 units that are looked at. */
const MAX_LOOKAHEAD = 512

export type Likelihood = 'yes' | 'no' | 'wait'

/** `text` begins with the first visible character. */
export function looksLikeCall(text: string, ended: boolean, isTool: (name: string) => boolean): Likelihood {
  const reader = new PrefixReader(text.slice(0, MAX_LOOKAHEAD))
  const verdict = readCall(reader, isTool)
  if (verdict !== 'wait') return verdict
  return ended || text.length >= MAX_LOOKAHEAD ? 'no' : 'wait'
}

function readCall(reader: PrefixReader, isTool: (name: string) => boolean): Likelihood {
  if (reader.take(/^```(?:json|[a-z]{0,10})?\s/) === 'wait' && reader.rest.startsWith('`')) return reader.rest.length > 16 ? 'no' : 'wait'
  reader.take(/^\s*\[/)
  const open = reader.expect('{')
  if (open !== 'yes') return open
  // Llama 3.1 writes the type first.
  for (let keys = 0; keys < 4; keys++) {
    const key = reader.string()
    if (typeof key !== 'object') return key
    const colon = reader.expect(':')
    if (colon !== 'yes') return colon
    if (key.value === 'function' && reader.take(/^\s*\{/) === 'yes') continue
    const value = reader.string()
    if (typeof value !== 'object') return value
    if (key.value === 'name' || key.value === 'function') return isTool(value.value) ? 'yes' : 'no'
    if (key.value !== 'type' && key.value !== 'id') return 'no'
    const comma = reader.expect(',')
    if (comma !== 'yes') return comma
  }
  return 'no'
}

/** Reads a text that may end anywhere: `wait` when it ends too early to tell. */
class PrefixReader {
  rest: string

  constructor(text: string) {
    this.rest = text
  }

  take(pattern: RegExp): Likelihood {
    const [match] = pattern.exec(this.rest) ?? []
    if (match === undefined) return 'wait'
    this.rest = this.rest.slice(match.length)
    return 'yes'
  }

  expect(character: string): Likelihood {
    this.rest = this.rest.trimStart()
    if (this.rest === '') return 'wait'
    if (!this.rest.startsWith(character)) return 'no'
    this.rest = this.rest.slice(1)
    return 'yes'
  }

  string(): { value: string } | 'no' | 'wait' {
    this.rest = this.rest.trimStart()
    if (this.rest === '') return 'wait'
    const [whole, value] = /^"([^"\\\n]*)"/.exec(this.rest) ?? []
    if (whole === undefined || value === undefined) return /^"[^"\\\n]*$/.test(this.rest) ? 'wait' : 'no'
    this.rest = this.rest.slice(whole.length)
    return { value }
  }
}
