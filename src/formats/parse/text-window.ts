/** The part of the stream that is not decided yet, and how marks are found in it without depending on where the stream was cut. */

export interface TextWindow {
  text: string
  /** Nothing follows: what could still become a mark is text. */
  ended: boolean
}

/** `<tool` is no HTML, `<t` may be. */
const DISTINCTIVE = 5

export interface FoundMark {
  index: number
  mark: string
}

/** The first mark in the text; where two begin at the same place, the longer one. */
export function findMark(text: string, marks: readonly string[]): FoundMark | undefined {
  let found: FoundMark | undefined
  for (const mark of marks) {
    const index = text.indexOf(mark)
    if (index < 0) continue
    if (!found || index < found.index || (index === found.index && mark.length > found.mark.length)) found = { index, mark }
  }
  return found
}

/** Characters at the end that may be the beginning of a mark. 0 when nothing follows. */
export function heldForMarks({ text, ended }: TextWindow, marks: readonly string[]): number {
  if (ended) return 0
  let held = 0
  for (const mark of marks) {
    for (let length = Math.min(mark.length - 1, text.length); length > held; length--) {
      if (text.endsWith(mark.slice(0, length))) held = length
    }
  }
  return held
}

/** Characters at the end of a cut-off stream that can only be the beginning of a mark: nobody wants to read them. */
export function cutMark(text: string, marks: readonly string[]): number {
  const held = heldForMarks({ text, ended: false }, marks)
  const tail = text.slice(text.length - held)
  return held >= DISTINCTIVE || (held >= 2 && /^<\/?｜/.test(tail)) ? held : 0
}

/** The whole text may still become one of the marks. */
export function mayBecomeMark({ text, ended }: TextWindow, marks: readonly string[]): boolean {
  return !ended && marks.some((mark) => mark.length > text.length && mark.startsWith(text))
}

export function startingMark(text: string, marks: readonly string[]): string | undefined {
  let found: string | undefined
  for (const mark of marks) if (text.startsWith(mark) && mark.length > (found?.length ?? 0)) found = mark
  return found
}

export function dropSpace(window: TextWindow): void {
  window.text = window.text.trimStart()
}
