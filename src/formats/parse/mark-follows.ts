/**
 * Whether a mark begins a call, or is only spoken about: `The token [TOOL_CALLS] marks …`, or an example in a fence. What follows the mark decides;
 * `wait` when too little has come to tell. Where a stream ends right behind a mark nobody wants to read the mark, so it counts as one.
 */
import type { DsmlSyntax, ElementCallSyntax, JsonCallSyntax, NamedCallSyntax } from '../tool-syntax.ts'
import { looksLikeCall } from './bare-call.ts'
import { findMark, mayBecomeMark, startingMark, type TextWindow } from './text-window.ts'

export type MarkedSyntax = JsonCallSyntax | NamedCallSyntax | ElementCallSyntax | DsmlSyntax
export type Verdict = 'yes' | 'no' | 'wait'

/** White space between a mark and its first bracket. */
const MAX_SPACE = 64
/** UTF-16 units of a tag's attributes, and of what is looked through for a name. */
const MAX_LOOKAHEAD = 512
/** UTF-16 units. */
const MAX_NAME = 256
const NAME = `["']?[^\\s<>{}"'\`]{1,${MAX_NAME}}["']?[^\\S\\n]*`
/** What closes a quotation, or goes on with a sentence; a call goes on with neither. By UTF-16 units, since a text may be cut between two. */
const QUOTE_ENDS = /^[`'"»”’」』）)]/
const SENTENCE_GOES_ON = /^(?:[`'"»”’」』）)\].,;:!?…，。；：！？、]| [^\s<>{}[\]|｜]|[\u2E80-\u9FFF\uF900-\uFAFF])/

/** `window` begins behind the mark. */
export function followsMark(syntax: MarkedSyntax, mark: string, window: TextWindow): Verdict {
  switch (syntax.type) {
    case 'json':
      return objectFollows(window)
    case 'elements':
      return elementsFollow(syntax, mark, window)
    case 'named':
      return nameFollows(syntax, mark, window)
    case 'dsml':
      return tagFollows(window)
  }
}

/** In a fence calls to tools that are not there are examples. */
export function followsInFence(syntax: MarkedSyntax, mark: string, window: TextWindow, isTool: (name: string) => boolean): Verdict {
  const { text, ended } = window
  if (syntax.type === 'json') return looksLikeCall(text.trimStart(), ended, isTool)
  const name = firstName(syntax, mark + text.slice(0, MAX_LOOKAHEAD))
  if (name !== undefined) return isTool(name) ? 'yes' : 'no'
  return ended || text.length >= MAX_LOOKAHEAD ? 'no' : 'wait'
}

/** A mark that has no place where it stands is dropped, unless it is quoted. */
export function isQuoted({ text, ended }: TextWindow): Verdict {
  if (text === '') return ended ? 'no' : 'wait'
  return QUOTE_ENDS.test(text) ? 'yes' : 'no'
}

/** An object, a list of them, or a fence. */
function objectFollows({ text, ended }: TextWindow): Verdict {
  const visible = text.trimStart()
  if (text.length - visible.length > MAX_SPACE) return 'no'
  if ('```'.startsWith(visible) || /^\[\s{0,64}$/.test(visible)) return ended ? 'yes' : 'wait'
  return /^(?:\{|\[\s*[{\]]|```)/.test(visible) ? 'yes' : 'no'
}

function nameFollows({ marks }: NamedCallSyntax, mark: string, window: TextWindow): Verdict {
  const { text, ended } = window
  const isControl = marks.closes.length > 0
  if (marks.callOpens.includes(mark)) {
    const ends = isControl ? (text.startsWith(' ') ? '[<{`]' : '[<{`\\n]') : '(?:\\[(?:ARGS|CALL_ID)\\]|\\{)'
    if (new RegExp(`^\\s?[\\w.:/-]{1,256}[^\\S\\n]*${ends}`).test(text)) return 'yes'
    const mayBecome = new RegExp(`^${ended ? '' : '\\s?'}[\\w.:/-]{0,256}[^\\S\\n]{0,64}(?:\\[[A-Z_]{0,7})?$`)
    if (mayBecome.test(text)) return ended ? 'yes' : 'wait'
    return isControl && !SENTENCE_GOES_ON.test(text) ? 'yes' : 'no'
  }
  return sentenceOr(text, ended)
}

/** A name and what comes after it, perhaps behind an inner mark. */
function elementsFollow(syntax: ElementCallSyntax, mark: string, { text, ended }: TextWindow): Verdict {
  const { callOpens, nameEnds, keyOpens, callCloses } = syntax.marks
  const undecided = ended ? 'yes' : 'wait'
  const visible = text.trimStart()
  if (text.length - visible.length > MAX_SPACE) return 'no'
  if (!callOpens.includes(mark)) {
    const next = startingMark(visible, callOpens)
    if (next) return elementsFollow(syntax, next, { text: visible.slice(next.length), ended })
    return callOpens.some((open) => open.startsWith(visible)) ? undecided : 'no'
  }
  // A blank behind the mark: it is spoken about.
  if (/^\n*[^\S\n]/.test(text)) return 'no'
  const [name = ''] = new RegExp(`^${NAME}`).exec(visible) ?? []
  const rest = visible.slice(name.length)
  // A quote alone may be the beginning of a name.
  if (rest === '' || /^["']$/.test(visible)) return name.length > MAX_NAME ? 'no' : undecided
  const ends = [...nameEnds, ...keyOpens, ...callCloses]
  const end = name === '' ? undefined : startingMark(rest, ends)
  if (end) return end === '>' ? sentenceOr(rest.slice(end.length), ended) : 'yes'
  return name !== '' && mayBecomeMark({ text: rest, ended: false }, ends) ? undecided : 'no'
}

/** Attributes and `>`, or the beginning of such. */
function tagFollows({ text, ended }: TextWindow): Verdict {
  const [tag] = /^(?:\s+\w+\s*=\s*["'][^"'<>]*["'])*\s*>/.exec(text) ?? []
  if (tag !== undefined) return sentenceOr(text.slice(tag.length), ended)
  if (text !== '' && !/^[\s>]/.test(text)) return 'no'
  return ended || text.length >= MAX_LOOKAHEAD || text.includes('>') ? 'yes' : 'wait'
}

/** `no` where the text goes on as a sentence does. */
function sentenceOr(text: string, ended: boolean): Verdict {
  if ((text === '' || text === ' ') && !ended) return 'wait'
  return SENTENCE_GOES_ON.test(text) ? 'no' : 'yes'
}

/** Of the first call in the text, which begins with a mark; undefined when it is not there, or not whole. */
function firstName(syntax: Exclude<MarkedSyntax, JsonCallSyntax>, text: string): string | undefined {
  if (syntax.type === 'dsml') return /invoke\s+name\s*=\s*["']([^"'<>]*)["']/.exec(text)?.[1]
  const found = findMark(text, syntax.marks.callOpens)
  const rest = found && text.slice(found.index + found.mark.length).replace(/^function<[｜|]tool[▁_ ]sep[｜|]>/, '')
  return rest === undefined ? undefined : /^\s*["']?(?:functions\.)?([\w.-]+)(?=[^\w.-])/.exec(rest)?.[1]
}
