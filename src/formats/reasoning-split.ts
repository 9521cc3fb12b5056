/**
 * Splits a model's thoughts (`<think> … </think>`) from its answer while the text streams in.
 * The totals do not depend on where the stream was cut, and what is held back is at most HELD_LIMIT characters.
 *
 *   start ──<think>──▶ thinking ──</think>──▶ gap ──first visible character──▶ answer
 *     └──────────── anything else ──────────────────────────────────────────────▶┘
 */
export interface ReasoningDelta {
  reasoning: string
  text: string
}

export interface ReasoningSplitter {
  /** What is certain after this piece. Either may be empty, both may be filled; the reasoning comes first. */
  push(text: string): ReasoningDelta
  /** What was held back. A thought that was never closed stays a thought. */
  end(): ReasoningDelta
}

const OPEN = '<think>'
const CLOSE = '</think>'
/** White space before a tag that is held (and dropped when the tag comes); longer runs are passed on. */
const MAX_HELD_SPACE = 16
/** UTF-16 units. */
export const HELD_LIMIT = MAX_HELD_SPACE + CLOSE.length

type State = 'start' | 'opened' | 'thinking' | 'gap' | 'answer'

/** `opensThought`: the prompt ended inside `<think>`. `mayThink`: false passes everything through as text. */
export function createReasoningSplitter(options: { opensThought: boolean; mayThink: boolean }): ReasoningSplitter {
  let state: State = firstState(options)
  let held = ''

  const push = (piece: string): ReasoningDelta => {
    const delta = { reasoning: '', text: '' }
    held += piece
    // Each step consumes from `held` or changes the state; it stops when nothing more is certain.
    while (step(delta));
    return delta
  }

  const step = (delta: ReasoningDelta): boolean => {
    const before = state
    const length = held.length
    if (state === 'start') atStart()
    else if (state === 'opened') afterOpen()
    else if (state === 'thinking') think(delta)
    else if (state === 'gap') skipGap()
    else {
      delta.text += held
      held = ''
    }
    return held.length > 0 && (state !== before || held.length < length)
  }

  /** White space, then the tag: a thought. Anything else: the answer, white space included. */
  const atStart = (): void => {
    const visible = held.trimStart()
    const space = held.length - visible.length
    if (space > MAX_HELD_SPACE) state = 'answer'
    else if (visible.startsWith(OPEN)) {
      held = visible.slice(OPEN.length)
      state = 'opened'
    } else if (!OPEN.startsWith(visible)) state = 'answer'
  }

  const afterOpen = (): void => {
    held = held.trimStart()
    if (held === '') return
    // Some models repeat the tag that the prompt has opened already.
    if (held.startsWith(OPEN)) held = held.slice(OPEN.length)
    else if (!OPEN.startsWith(held)) state = 'thinking'
  }

  const think = (delta: ReasoningDelta): void => {
    const close = held.indexOf(CLOSE)
    const sure = close < 0 ? held.length - heldBefore(held) : close - trailingSpace(held.slice(0, close))
    delta.reasoning += held.slice(0, sure)
    held = close < 0 ? held.slice(sure) : held.slice(close + CLOSE.length)
    if (close >= 0) state = 'gap'
  }

  const skipGap = (): void => {
    held = held.trimStart()
    if (held !== '') state = 'answer'
  }

  const end = (): ReasoningDelta => {
    const rest = held
    held = ''
    const thinking = state === 'thinking' || state === 'opened'
    return thinking ? { reasoning: rest, text: '' } : { reasoning: '', text: rest }
  }

  return { push, end }
}

function firstState({ opensThought, mayThink }: { opensThought: boolean; mayThink: boolean }): State {
  if (opensThought) return 'opened'
  return mayThink ? 'start' : 'answer'
}

/** How many characters at the end may still become white space + `</think>`. */
function heldBefore(text: string): number {
  const tag = partialTag(text)
  return tag + trailingSpace(text.slice(0, text.length - tag))
}

/** The longest end of `text` that is a beginning of `</think>`. */
function partialTag(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length--) if (CLOSE.startsWith(text.slice(-length))) return length
  return 0
}

function trailingSpace(text: string): number {
  const tail = text.slice(-MAX_HELD_SPACE)
  return tail.length - tail.trimEnd().length
}
