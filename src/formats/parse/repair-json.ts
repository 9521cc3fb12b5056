/** Broken JSON of small models → valid JSON that begins with what has already been sent. */
import { jsonrepair } from 'jsonrepair'
import { JsonScanner } from './json-scanner.ts'
import { withAsciiPunctuation, withWholeEscapes } from './mend-json-text.ts'

/** UTF-16 units of invalid text; a longer one is only completed, not repaired. */
const MAX_BROKEN = 16 * 1024
/** And of what stands before it. */
const MAX_REPAIRED = 512 * 1024
/** jsonrepair's time grows with the square where quotes and backslashes stand outside of texts: their numbers' product is bounded (about 0.3 s). */
const MAX_TANGLE = 20_000

/** What the whole must be. */
export type JsonKind = 'object' | 'value'

/**
 * The text that makes `sent` a valid JSON object (or a list, with `kind: 'value'`). `rest` is what the model wrote after it and which is not valid. Where `rest` can be repaired so that
 * the result still begins with `sent`, it is kept; otherwise `sent` is closed as it stands and `rest` is lost. Hopeless and nothing sent: `{}`.
 */
export function repairedRest(sent: string, rest: string, kind: JsonKind = 'object'): string {
  for (const candidate of mayRepair(rest) ? candidates(sent + rest) : []) {
    const repaired = tryRepair(candidate, kind)
    if (repaired !== undefined && repaired.startsWith(sent)) return repaired.slice(sent.length)
  }
  return sent === '' ? '{}' : completion(sent)
}

/** The object that a broken text stands for, or undefined. */
export function repairObject(text: string): Record<string, unknown> | undefined {
  for (const candidate of mayRepair(text) ? candidates(text) : []) {
    const repaired = tryRepair(candidate, 'object')
    const value: unknown = repaired === undefined ? undefined : JSON.parse(repaired)
    if (isRecord(value)) return value
  }
  return undefined
}

export function completion(sent: string): string {
  const scanner = new JsonScanner()
  for (const character of sent.split('')) scanner.feed(character)
  return scanner.completion()
}

/**
 * Without what models put behind it: one bracket too many, the end of a fence. With the punctuation of an input method replaced first where that is
 * all that was wrong, else last: in `"he said "你好，世界""` it belongs to a text.
 */
function candidates(text: string): string[] {
  if (text.length > MAX_REPAIRED) return []
  const trimmed = withWholeEscapes(text.replace(/[\s`]{1,64}$/, ''))
  const ascii = withAsciiPunctuation(trimmed)
  const inOrder = ascii === trimmed ? [trimmed] : isJson(ascii) ? [ascii] : [trimmed, ascii]
  return inOrder.flatMap((one) => (/[}\]]$/.test(one) ? [one, one.slice(0, -1)] : [one]))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function mayRepair(broken: string): boolean {
  if (broken.length > MAX_BROKEN) return false
  return (broken.match(/\\/g)?.length ?? 0) * (broken.match(/["']/g)?.length ?? 0) <= MAX_TANGLE
}

function tryRepair(text: string, kind: JsonKind): string | undefined {
  if (!(kind === 'object' ? /^\s*\{/ : /^\s*[{[]/).test(text)) return undefined
  try {
    const repaired = jsonrepair(text)
    return kind === 'value' || isRecord(JSON.parse(repaired)) ? repaired : undefined
  } catch {
    // Not even the repair helps (or it nests too deep): the caller has another way.
    return undefined
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
