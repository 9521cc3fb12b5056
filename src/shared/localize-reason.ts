/**
 * The reasons inside error messages in Chinese. Code writes them in English wherever it finds out, also in other processes; they are put into the
 * reader's language at the end, when it is known who reads. A test holds the phrases against the sources.
 */
import { engineReasons } from './error-tables/engine-reasons.ts'
import { fieldReasons } from './error-tables/field-reasons.ts'
import { headerReasons } from './error-tables/header-reasons.ts'
import { modelReasons } from './error-tables/model-reasons.ts'
import type { ReasonPhrase } from './error-tables/reason-phrase.ts'
import { requestReasons } from './error-tables/request-reasons.ts'
import { schemaReasons } from './error-tables/schema-reasons.ts'
import type { Language } from './language.ts'

export const REASON_PHRASES: readonly ReasonPhrase[] = [
  ...fieldReasons,
  ...requestReasons,
  ...schemaReasons,
  ...engineReasons,
  ...headerReasons,
  ...modelReasons,
]

/** Characters. What is longer is not ours, and would take long to compare. */
const MAX_LENGTH = 2000
const MAX_DEPTH = 3

/** The reason in a language; one that nobody has translated stays as it is. */
export function localizeReason(reason: string, language: Language): string {
  return language === 'en' ? reason : inChinese(reason, MAX_DEPTH)
}

function inChinese(reason: string, depth: number): string {
  if (depth === 0 || reason.length > MAX_LENGTH) return reason
  const { exact, patterns } = phraseBook()
  const known = exact.get(reason)
  if (known !== undefined) return known
  for (const pattern of patterns) {
    const groups = pattern.english.exec(reason)?.groups
    if (groups) return fillPhrase(pattern, groups, depth)
  }
  return inParts(reason, depth)
}

function fillPhrase({ chinese, nested }: Pattern, groups: Readonly<Record<string, string>>, depth: number): string {
  return chinese.replace(/\{(\w+)\}/g, (_, name: string) => {
    const text = groups[name] ?? ''
    return nested.has(name) ? inChinese(text, depth - 1) : text
  })
}

/** `what: why`, and several reasons in a row: each that is known is said in Chinese. */
function inParts(reason: string, depth: number): string {
  const several = reason.split('; ')
  if (several.length > 1) return several.map((part) => inChinese(part, depth - 1)).join('；')
  const colon = reason.indexOf(': ')
  if (colon < 0) return reason
  const [what, why] = [reason.slice(0, colon), reason.slice(colon + 2)]
  const said = inChinese(why, depth - 1)
  return said === why ? reason : `${what}：${said}`
}

interface Pattern {
  english: RegExp
  chinese: string
  /** Places whose text is a reason as well. */
  nested: ReadonlySet<string>
}

interface PhraseBook {
  exact: ReadonlyMap<string, string>
  patterns: readonly Pattern[]
}

let book: PhraseBook | undefined

/** Made when the first reason is asked for: most readers never meet one. */
function phraseBook(): PhraseBook {
  return (book ??= {
    exact: new Map(REASON_PHRASES.filter(([english]) => !hasPlaces(english))),
    // What is particular comes before what fits much.
    patterns: REASON_PHRASES.filter(([english]) => hasPlaces(english))
      .toSorted(([one], [other]) => literalLength(other) - literalLength(one))
      .map(toPattern),
  })
}

const PLACE = /\{(\w+)(\*?)\}/g
const PLACE_IN = /\{\w+\*?\}/

function hasPlaces(english: string): boolean {
  return PLACE_IN.test(english)
}

function literalLength(english: string): number {
  return english.replace(PLACE, '').length
}

/** `; ` stands between reasons: a place reaches over it only where another reason is expected. */
function placeSource(place: RegExpExecArray | undefined): string {
  const [, name = '', star] = place ?? []
  return `(?<${name}>${star === '*' ? '.' : '(?:(?!; ).)'}+?)`
}

function toPattern([english, chinese]: ReasonPhrase): Pattern {
  const places = [...english.matchAll(PLACE)]
  const literals = english.split(/\{\w+\*?\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  const source = literals.map((text, index) => (index === 0 ? text : placeSource(places[index - 1]) + text)).join('')
  return {
    english: new RegExp(`^${source}$`, 's'),
    chinese,
    nested: new Set(places.filter(([, , star]) => star === '*').map(([, name = '']) => name)),
  }
}
