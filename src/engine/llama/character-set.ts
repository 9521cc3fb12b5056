/**
 * Sets of characters as XGrammar 0.1.27 understands them. Seen by running it: a set that is not negated counts the low byte of each of its
 * code points as one byte of UTF-8, so `[一-龥]` admits the bytes 00 to A5. Sets beyond ASCII are therefore written as what they are in UTF-8:
 * alternatives of bytes, each byte a set of its own (`[\xe4\xe4]`, since a set of one character is taken for a text). Pure.
 */

/** First and last code point. */
export type CodeRange = readonly [number, number]

const LAST = 0x10ffff
const LAST_ASCII = 0x7f
/** Halves of UTF-16 pairs are no characters. */
const SURROGATES: CodeRange = [0xd800, 0xdfff]
const BEYOND_ASCII: readonly CodeRange[] = [
  [0x80, 0xd7ff],
  [0xe000, LAST],
]
/** Where UTF-8 takes one byte more. */
const LENGTH_EDGES = [0x7f, 0x7ff, 0xffff]

const DIGITS: readonly CodeRange[] = [[0x30, 0x39]]
const WORDS: readonly CodeRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
/** JavaScript's white space. */
const SPACES: readonly CodeRange[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
const CLASSES: Record<string, readonly CodeRange[]> = { d: DIGITS, w: WORDS, s: SPACES }
const NAMED: Record<string, number> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b, b: 0x08, '0': 0 }
/** `\ud83d\ude00` is one character. */
const ESCAPE =
  /^\\(?:u([dD][89abAB][\da-fA-F]{2})\\u([dD][c-fC-F][\da-fA-F]{2})|u\{([\da-fA-F]{1,6})\}|u([\da-fA-F]{4})|U([\da-fA-F]{8})|x([\da-fA-F]{2})|c([A-Za-z])|(.))/su

export interface ReadEscape {
  /** The code points that it stands for. */
  ranges: readonly CodeRange[]
  length: number
}

/** The escape at the beginning of `text`, as regular expressions and GBNF write them; undefined where there is none. */
export function readEscape(text: string): ReadEscape | undefined {
  const found = ESCAPE.exec(text)
  if (!found) return undefined
  const [{ length }, high, low, braced, four, eight, two, control, other = ''] = found
  if (high && low) return one(((parseInt(high, 16) - 0xd800) << 10) + (parseInt(low, 16) - 0xdc00) + 0x10000, length)
  const hexadecimal = braced ?? four ?? eight ?? two
  if (hexadecimal) return one(parseInt(hexadecimal, 16), length)
  if (control) return one(control.charCodeAt(0) % 32, length)
  const known = CLASSES[other.toLowerCase()]
  if (known) return { ranges: other === other.toLowerCase() ? known : complement(known), length }
  return one(NAMED[other] ?? other.codePointAt(0) ?? 0, length)
}

/** `[…]` or `[^…]` → the characters in it, in order and without overlaps. */
export function readSet(set: string): CodeRange[] {
  const isNegated = set.startsWith('[^')
  let rest = set.slice(isNegated ? 2 : 1, -1)
  const ranges: CodeRange[] = []
  const take = (): readonly CodeRange[] => {
    const item = readEscape(rest) ?? one(rest.codePointAt(0) ?? 0, (rest.codePointAt(0) ?? 0) > 0xffff ? 2 : 1)
    rest = rest.slice(item.length)
    return item.ranges
  }
  while (rest !== '') {
    const from = take()
    const start = from[0]?.[0]
    // A hyphen at the end, or behind a class, is itself.
    if (from.length > 1 || from[0]?.[1] !== start || start === undefined || !/^-./su.test(rest)) {
      ranges.push(...from)
      continue
    }
    rest = rest.slice(1)
    const end = take().at(-1)?.[1] ?? start
    if (end < start) throw new Error(`the set ${set} has a range that ends before it begins`)
    ranges.push([start, end])
  }
  return isNegated ? complement(ranges) : union(ranges)
}

/** Whether XGrammar reads the set as it is meant. */
export function isPlainSet(set: string): boolean {
  return readSet(set).every(([, last]) => last <= LAST_ASCII) || (set.startsWith('[^') && readSet(`[${set.slice(2)}`).every(isAscii))
}

/** The characters as alternatives that XGrammar reads right, without brackets around them. Throws where there is no character. */
export function alternativesOf(ranges: readonly CodeRange[]): string[] {
  const characters = without(union(ranges), [SURROGATES])
  if (characters.length === 0) throw new Error('a set of characters is empty')
  const ascii = characters.flatMap(([from, to]): CodeRange[] => (from > LAST_ASCII ? [] : [[from, Math.min(to, LAST_ASCII)]]))
  // What is negated and names only ASCII is read right, and is much smaller.
  if (without(BEYOND_ASCII, characters).length === 0)
    return [
      `[^${without([[0, LAST_ASCII]], ascii)
        .map(written)
        .join('')}]`,
    ]
  const others = without(characters, [[0, LAST_ASCII]]).flatMap(byLength)
  return [
    ...(ascii.length > 0 ? [`[${ascii.map(written).join('')}]`] : []),
    ...others.flatMap(([from, to]) => sequences(utf8(from), utf8(to))),
  ]
}

export function without(ranges: readonly CodeRange[], removed: readonly CodeRange[]): CodeRange[] {
  return removed.reduce<CodeRange[]>(
    (left, [from, to]) =>
      left.flatMap(([start, end]): CodeRange[] => {
        if (end < from || start > to) return [[start, end]]
        const parts: CodeRange[] = [
          [start, from - 1],
          [to + 1, end],
        ]
        return parts.filter(([first, last]) => first <= last)
      }),
    [...ranges],
  )
}

function isAscii([, last]: CodeRange): boolean {
  return last <= LAST_ASCII
}

function one(code: number, length: number): ReadEscape {
  return { ranges: [[code, code]], length }
}

function complement(ranges: readonly CodeRange[]): CodeRange[] {
  return without([[0, LAST]], union(ranges))
}

function union(ranges: readonly CodeRange[]): CodeRange[] {
  const result: CodeRange[] = []
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last && from <= last[1] + 1) result[result.length - 1] = [last[0], Math.max(last[1], to)]
    else result.push([from, to])
  }
  return result
}

/** Parts whose characters take the same number of bytes. */
function byLength([from, to]: CodeRange): CodeRange[] {
  const edge = LENGTH_EDGES.find((last) => from <= last && to > last)
  return edge === undefined ? [[from, to]] : [[from, edge], ...byLength([edge + 1, to])]
}

function utf8(code: number): number[] {
  return [...Buffer.from(String.fromCodePoint(code))]
}

/**
 * All sequences of bytes between two of the same length, as sequences of sets. Continuation bytes lie between 80 and BF.
 * Source: the way of the utf8-ranges library and of Russ Cox's "Regular Expression Matching in the Wild".
 */
function sequences([from = 0, ...fromRest]: number[], [to = 0, ...toRest]: number[]): string[] {
  if (fromRest.length === 0) return [byteSet(from, to)]
  const lowest = fromRest.map(() => 0x80)
  const highest = fromRest.map(() => 0xbf)
  if (from === to) return sequences(fromRest, toRest).map((rest) => byteSet(from, from) + rest)
  const isLowest = fromRest.every((byte) => byte === 0x80)
  const isHighest = toRest.every((byte) => byte === 0xbf)
  const first = isLowest ? from : from + 1
  const last = isHighest ? to : to - 1
  return [
    ...(isLowest ? [] : sequences(fromRest, highest).map((rest) => byteSet(from, from) + rest)),
    ...(first <= last ? sequences(lowest, highest).map((rest) => byteSet(first, last) + rest) : []),
    ...(isHighest ? [] : sequences(lowest, toRest).map((rest) => byteSet(to, to) + rest)),
  ]
}

function byteSet(from: number, to: number): string {
  return from === to ? `[${hex(from)}${hex(from)}]` : `[${hex(from)}-${hex(to)}]`
}

function written([from, to]: CodeRange): string {
  if (from === to) return hex(from)
  return `${hex(from)}-${hex(to)}`
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}
