/** The stages of an answer: thoughts between tags, text, and the calls that are marked in either. */
import type { AnswerParserOptions, AnswerState } from '../answer-pieces.ts'
import type { ThoughtSyntax } from '../answer-dialect.ts'
import { thinkTags } from '../dialects/think-tags.ts'
import { allowedTools } from '../output-constraint.ts'
import { looksLikeCall } from './bare-call.ts'
import type { CallReader } from './call-reader.ts'
import { CallMarks } from './call-marks.ts'
import { FenceWatch } from './fence-watch.ts'
import { isQuoted } from './mark-follows.ts'
import type { PieceList } from './piece-list.ts'
import { cutMark, findMark, heldForMarks, startingMark, type TextWindow } from './text-window.ts'

export interface AnswerStages {
  /** Consumes from the window what is certain; everything once it has ended. */
  read(window: TextWindow): void
  readonly state: AnswerState
}

/** White space before a mark that is held (and dropped when the mark comes); longer runs are passed on. */
const MAX_HELD_SPACE = 16

type Stage = 'start' | 'opened' | 'thinking' | 'gap' | 'first' | 'answer' | 'calling' | 'between'
/** `again`: consumed something, or changed the stage. */
type Step = 'again' | 'wait'

export class AnswerReader implements AnswerStages {
  #stage: Stage
  /** Calls inside of a thought lead back to it. */
  #inThought = false
  /** A mark was spoken about, so those that belong to it are too, until there is a call. */
  #speaksOfMarks = false
  readonly #fence = new FenceWatch()
  #calls: CallReader | undefined
  readonly #thought: ThoughtSyntax | undefined
  readonly #mayThink: boolean
  readonly #split: boolean
  readonly #marks: CallMarks
  readonly #pieces: PieceList

  constructor(options: AnswerParserOptions, pieces: PieceList) {
    const { dialect, opensThought, mayThink } = options
    this.#pieces = pieces
    this.#split = options.split
    this.#mayThink = mayThink
    this.#thought = dialect.thought ?? (opensThought || mayThink ? thinkTags : undefined)
    this.#marks = new CallMarks(dialect, allowedTools(options.tools, options.toolChoice), pieces)
    this.#stage = opensThought ? 'opened' : this.#thought ? 'start' : 'first'
  }

  get state(): AnswerState {
    if (this.#stage === 'calling') return 'calling'
    return this.#stage === 'opened' || this.#stage === 'thinking' ? 'thinking' : 'answer'
  }

  read(window: TextWindow): void {
    while (window.text !== '' || (window.ended && this.#stage === 'calling')) {
      if (this.#steps[this.#stage](window) === 'wait') return
    }
  }

  readonly #steps: Record<Stage, (window: TextWindow) => Step> = {
    start: (window) => this.#start(window),
    opened: (window) => this.#afterOpen(window),
    thinking: (window) => this.#think(window),
    gap: (window) => this.#skipGap(window),
    first: (window) => this.#firstVisible(window),
    answer: (window) => this.#answer(window),
    calling: (window) => this.#call(window),
    between: (window) => this.#between(window),
  }

  /** White space, then a tag: a thought (or its end, when the prompt had opened and closed it). Anything else: the answer, white space included. */
  #start(window: TextWindow): Step {
    const thought = this.#thought ?? thinkTags
    const tags = this.#mayThink ? [thought.open, thought.close] : [thought.close]
    const visible = window.text.trimStart()
    const space = window.text.length - visible.length
    const tag = startingMark(visible, tags)
    if (space <= MAX_HELD_SPACE && tag) {
      this.#drop(window, space + tag.length)
      return this.#go(tag === thought.open ? 'opened' : 'gap')
    }
    const open = !window.ended && space <= MAX_HELD_SPACE && tags.some((one) => one.startsWith(visible))
    if (open) return 'wait'
    return this.#go(this.#mayThink && thought.assumed ? 'opened' : 'first')
  }

  #afterOpen(window: TextWindow): Step {
    const { open } = this.#thought ?? thinkTags
    this.#drop(window, leadingSpace(window.text))
    if (window.text === '') return 'again'
    // Some models repeat the tag that the prompt has opened already.
    if (window.text.startsWith(open)) {
      this.#drop(window, open.length)
      return 'again'
    }
    return open.startsWith(window.text) && !window.ended ? 'wait' : this.#go('thinking')
  }

  #think(window: TextWindow): Step {
    const { close } = this.#thought ?? thinkTags
    const found = this.#passText(window, [close, ...this.#marks.opens, ...this.#marks.strays])
    if (!found) return 'wait'
    if (found === close) {
      this.#drop(window, leadingSpace(window.text) + close.length)
      return this.#go('gap')
    }
    return this.#openCall(window, found, true)
  }

  #skipGap(window: TextWindow): Step {
    this.#drop(window, leadingSpace(window.text))
    return window.text === '' ? 'again' : this.#go('first')
  }

  /** Calls without marks can only stand at the beginning, and behind others. */
  #firstVisible(window: TextWindow): Step {
    const visible = window.text.trimStart()
    if (!this.#marks.bare) return this.#go('answer')
    const far = window.text.length - visible.length > MAX_HELD_SPACE
    if (visible === '' && !window.ended && !far) return 'wait'
    if (far) return this.#go('answer')
    const at = { text: visible, ended: window.ended }
    const step = this.#bareCall(at)
    if (this.#stage === 'calling') window.text = visible
    return step
  }

  #answer(window: TextWindow): Step {
    const found = this.#passText(window, [...this.#marks.opens, ...this.#marks.strays])
    return found ? this.#openCall(window, found, false) : 'wait'
  }

  /** At a mark, perhaps behind white space. */
  #openCall(window: TextWindow, mark: string, inThought: boolean): Step {
    const space = leadingSpace(window.text)
    const at = { text: window.text.slice(space), ended: window.ended }
    if (!this.#marks.opens.includes(mark)) return this.#dropStray(window, at, mark)
    const reader = this.#marks.readerFor(mark, at, this.#fence.isInside)
    if (reader === 'wait') return 'wait'
    if (reader === 'no') {
      this.#speaksOfMarks = true
      this.#pass(window, space + 1)
      return 'again'
    }
    window.text = at.text
    this.#speaksOfMarks = false
    this.#inThought = inThought
    this.#calls = reader
    return this.#go('calling')
  }

  /** `at`: the window from the mark on. */
  #dropStray(window: TextWindow, at: TextWindow, mark: string): Step {
    const space = window.text.length - at.text.length
    const behind = { text: at.text.slice(mark.length), ended: at.ended }
    const quoted = this.#speaksOfMarks ? 'yes' : isQuoted(behind)
    if (quoted === 'wait') return 'wait'
    if (quoted === 'yes') this.#pass(window, space + 1)
    else window.text = window.text.slice(0, space) + behind.text
    return 'again'
  }

  #call(window: TextWindow): Step {
    if (this.#calls?.read(window) === 'wait') return 'wait'
    this.#calls = undefined
    return this.#go('between')
  }

  /** Behind calls: white space and marks that close what is closed already are dropped. */
  #between(window: TextWindow): Step {
    window.text = window.text.trimStart()
    if (window.text === '') return 'again'
    const { close } = this.#thought ?? thinkTags
    const strays = [...this.#marks.closes, ...this.#marks.strays, ...(this.#thought && !this.#inThought ? [close] : [])]
    const stray = startingMark(window.text, strays)
    if (stray) {
      window.text = window.text.slice(stray.length)
      return 'again'
    }
    if (!window.ended && strays.some((mark) => mark.startsWith(window.text))) return 'wait'
    if (this.#inThought) return this.#go('thinking')
    return this.#marks.bare ? this.#bareCall(window) : this.#go('answer')
  }

  /** At the first visible character: a call without marks, or the answer. */
  #bareCall(window: TextWindow): Step {
    const verdict = /^[{[`]/.test(window.text) ? looksLikeCall(window.text, window.ended, this.#marks.isTool) : 'no'
    if (verdict === 'wait') return 'wait'
    if (verdict === 'no') return this.#go('answer')
    this.#calls = this.#marks.bareReader()
    return this.#go('calling')
  }

  /** Passes on what stands before the first mark (and the white space in front of it), and returns the mark; undefined when more is needed. */
  #passText(window: TextWindow, marks: readonly string[]): string | undefined {
    const found = findMark(window.text, marks)
    const end = found
      ? found.index
      : window.text.length -
        (window.ended ? cutMark(window.text, [...this.#marks.opens, ...this.#marks.strays]) : heldForMarks(window, marks))
    const hold = marks.length > 0 && (found || !window.ended)
    this.#pass(window, hold ? end - trailingSpace(window.text.slice(0, end)) : end)
    if (!found && window.ended) window.text = ''
    return found?.mark
  }

  #pass(window: TextWindow, length: number): void {
    const text = window.text.slice(0, length)
    window.text = window.text.slice(length)
    this.#fence.push(text)
    if (this.#stage === 'thinking' && this.#split) this.#pieces.reasoning(text)
    else this.#pieces.text(text)
  }

  /** A thought's tag and the white space around it are dropped, or stay in the text. */
  #drop(window: TextWindow, length: number): void {
    if (!this.#split) this.#pieces.text(window.text.slice(0, length))
    window.text = window.text.slice(length)
  }

  #go(stage: Stage): 'again' {
    this.#stage = stage
    return 'again'
  }
}

function leadingSpace(text: string): number {
  return text.length - text.trimStart().length
}

function trailingSpace(text: string): number {
  const tail = text.slice(-MAX_HELD_SPACE)
  return tail.length - tail.trimEnd().length
}
