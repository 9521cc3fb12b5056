/**
 * Numbers between two bounds as EBNF. XGrammar's own grammar for bounds that have a fraction admits what is no number and what lies outside.
 * A bound's digits decide one after the other: above the lower one's, or below the upper one's, any digit may follow. Pure.
 */

/** Digits behind the point, at most: what XGrammar lets numbers have. */
const FRACTION = 6
const ANY = `[0-9]{0,${FRACTION}}`

/** `minimum` ≤ `maximum`. Undefined for bounds that are not written as plain decimals. */
export function numberRange(minimum: number, maximum: number): string | undefined {
  if (![minimum, maximum].every((bound) => /^-?\d+(?:\.\d+)?$/.test(String(bound)))) return undefined
  const negative = minimum < 0 ? [`"-" (${positiveRange(Math.max(0, -maximum), -minimum)})`] : []
  const positive = maximum >= 0 ? [positiveRange(Math.max(0, minimum), maximum)] : []
  return `(${[...negative, ...positive].join(' | ')})`
}

function positiveRange(from: number, to: number): string {
  const [low = '0', lowFraction = ''] = String(from).split('.')
  const [high = '0', highFraction = ''] = String(to).split('.')
  if (low === high) return `${literal(low)} (${fractionBetween(lowFraction, highFraction)})`
  const between = wholeRange(BigInt(low) + 1n, BigInt(high) - 1n).map((digits) => `${digits} ("." [0-9]{1,${FRACTION}})?`)
  return [`${literal(low)} (${fractionFrom(lowFraction)})`, ...between, `${literal(high)} (${fractionTo(highFraction)})`].join(' | ')
}

/** What may stand behind the whole part when the fraction is at least this. */
function fractionFrom(digits: string): string {
  return digits === '' ? `("." [0-9]{1,${FRACTION}})?` : `"." (${digitsFrom(digits)})`
}

function fractionTo(digits: string): string {
  return digits === '' ? `("." "0"{1,${FRACTION}})?` : `"" | "." (${digitsTo(digits, false)})`
}

function fractionBetween(from: string, to: string): string {
  const length = Math.max(from.length, to.length)
  if (length === 0) return fractionTo('')
  const [low, high] = [from.padEnd(length, '0'), to.padEnd(length, '0')]
  const shared = [...low].findIndex((digit, index) => digit !== high[index])
  const whole = from === '' ? '"" | ' : ''
  if (shared < 0) return `${whole}"." ${literal(low)} "0"{0,${FRACTION}}`
  const [first, last] = [Number(low[shared]), Number(high[shared])]
  const branches = [
    `${literal(low[shared] ?? '')} (${digitsFrom(low.slice(shared + 1))})`,
    ...oneOf(first + 1, last - 1).map((digit) => `${digit} ${ANY}`),
    `${literal(high[shared] ?? '')} (${digitsTo(high.slice(shared + 1), true)})`,
  ]
  return `${whole}"." ${literal(low.slice(0, shared))} (${branches.join(' | ')})`
}

/** Digits of a fraction that are not less than these. */
function digitsFrom(digits: string): string {
  const more = [...digits].flatMap((digit, index) =>
    oneOf(Number(digit) + 1, 9).map((one) => `${literal(digits.slice(0, index))} ${one} ${ANY}`),
  )
  // Zeros at the end of the bound need not be written.
  const least = /^0*$/.test(digits) ? `${ANY}` : `${literal(digits)} ${ANY}`
  return [least, ...more].join(' | ')
}

/** Digits of a fraction that are not more than these; `mayBeEmpty`: one has been written before. */
function digitsTo(digits: string, mayBeEmpty: boolean): string {
  const less = [...digits].flatMap((digit, index) => [
    ...oneOf(0, Number(digit) - 1).map((one) => `${literal(digits.slice(0, index))} ${one} ${ANY}`),
    ...(index > 0 || mayBeEmpty ? [literal(digits.slice(0, index))] : []),
  ])
  return [`${literal(digits)} "0"{0,${FRACTION}}`, ...less].join(' | ')
}

/** Whole numbers, as alternatives. */
function wholeRange(from: bigint, to: bigint): string[] {
  if (from > to) return []
  const [low, high] = [String(from), String(to)]
  if (low.length < high.length) return [...wholeRange(from, 10n ** BigInt(low.length) - 1n), ...wholeRange(10n ** BigInt(low.length), to)]
  return sameLength(low, high)
}

function sameLength(low: string, high: string): string[] {
  if (low === '') return ['""']
  if (/^0*$/.test(low) && /^9*$/.test(high)) return [`[0-9]{${low.length}}`]
  const [first, last] = [Number(low[0]), Number(high[0])]
  const [lowRest, highRest] = [low.slice(1), high.slice(1)]
  const behind = (digit: string, rest: string[]): string => `${digit} (${rest.join(' | ')})`
  if (first === last) return [behind(literal(String(first)), sameLength(lowRest, highRest))]
  const nines = '9'.repeat(lowRest.length)
  const zeros = '0'.repeat(lowRest.length)
  return [
    behind(literal(String(first)), sameLength(lowRest, nines)),
    ...oneOf(first + 1, last - 1).map((digit) => behind(digit, sameLength(zeros, nines))),
    behind(literal(String(last)), sameLength(zeros, highRest)),
  ]
}

/** A digit from a range; nothing when it is empty. */
function oneOf(from: number, to: number): string[] {
  return from > to ? [] : [from === to ? literal(String(from)) : `[${from}-${to}]`]
}

function literal(text: string): string {
  return `"${text}"`
}
