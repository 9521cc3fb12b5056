/**
 * Where the thought ends and the answer begins, to the token: the thought is free but for its budget, the answer is held to its rule.
 *
 *   start ──open tag──▶ thinking ──close tag (the model's, or forced)──▶ answer
 *     └────────────────── anything else ───────────────────────────────────▲
 */
import type { TokenRule } from './token-rule.ts'

export interface ThoughtSettings {
  open: string
  close: string
  /** What is written for the model to end its thought early. */
  forceClose: string
  /** The prompt has opened the thought; otherwise the answer may open one. */
  isOpen: boolean
  /** Written for the model between its thought and an answer that is held to a form, where its format announces the answer (gpt-oss). */
  introduction?: string | undefined
  /** Tokens of thought at most. */
  budget?: number | undefined
}

export interface AnswerRuleOptions {
  thought: ThoughtSettings
  /** Of the answer. */
  answer?: TokenRule | undefined
  /** A token's text, special tokens too; half characters as U+FFFD. */
  textOf(token: number): string
  /** Takes special tokens' texts as those tokens. */
  tokenize(text: string): number[]
  isEnd(token: number): boolean
}

export type ClosedBy = 'budget' | 'asked'

export class AnswerRule implements TokenRule {
  readonly #options: AnswerRuleOptions
  #phase: 'start' | 'thinking' | 'answer'
  #forced: number[] = []
  /** The forced tokens end the thought. */
  #closes = false
  /** The end of the thought's text: shorter than the close tag. In `start`: all text so far. */
  #tail = ''
  #thoughtTokens = 0
  #asked = false
  #closedBy: ClosedBy | undefined

  constructor(options: AnswerRuleOptions) {
    this.#options = options
    this.#phase = options.thought.isOpen ? 'thinking' : 'start'
  }

  get isThinking(): boolean {
    return this.#phase === 'thinking'
  }

  /** Why the thought was closed for the model; told once. */
  takeClosedBy(): ClosedBy | undefined {
    const reason = this.#closedBy
    this.#closedBy = undefined
    return reason
  }

  /** The next tokens end the thought. False when there is none open. */
  closeThought(): boolean {
    if (this.#phase !== 'thinking') return false
    this.#asked = true
    return true
  }

  forced(): number | undefined {
    if (this.#forced.length === 0) this.#enforceBudget()
    return this.#forced[0] ?? (this.#phase === 'answer' ? this.#options.answer?.forced() : undefined)
  }

  tryAccept(token: number): boolean {
    const [forced] = this.#forced
    if (forced !== undefined) return forced === token && this.#acceptForced(token)
    switch (this.#phase) {
      case 'start':
        return this.#tryAtStart(token)
      case 'thinking':
        return this.#tryThinking(token)
      case 'answer':
        return this.#options.answer?.tryAccept(token) ?? true
    }
  }

  mask(logits: Float32Array): void {
    const { answer, thought, tokenize } = this.#options
    if (this.#phase === 'answer') return answer?.mask(logits)
    if (this.#phase === 'thinking') return
    const [open] = tokenize(thought.open)
    const kept = open === undefined ? undefined : logits[open]
    answer?.mask(logits)
    if (open !== undefined && kept !== undefined) logits[open] = kept
  }

  close(): void {
    this.#options.answer?.close()
  }

  #enforceBudget(): void {
    const { budget = Number.POSITIVE_INFINITY } = this.#options.thought
    const isSpent = this.#thoughtTokens >= budget
    // Never in the middle of a character; a model that writes only broken ones is not waited for.
    if (this.#phase !== 'thinking' || !(this.#asked || isSpent) || (this.#tail.endsWith('\ufffd') && this.#thoughtTokens < budget + 4))
      return
    this.#closedBy = this.#asked ? 'asked' : 'budget'
    this.#forceClose()
  }

  #forceClose(): void {
    const { close, forceClose } = this.#options.thought
    const written = overlap(this.#tail, close)
    this.#forced = this.#options.tokenize(written === 0 ? forceClose : forceClose.slice(forceClose.indexOf(close) + written))
    this.#closes = this.#forced.length > 0
    // A tag that the vocabulary cannot write at all.
    if (!this.#closes) this.#phase = 'answer'
  }

  #acceptForced(token: number): true {
    this.#forced.shift()
    this.#read(this.#options.textOf(token))
    if (this.#forced.length > 0 || !this.#closes) return true
    // The tag is written now, however its tokens read.
    this.#closes = false
    this.#phase = 'answer'
    return true
  }

  #tryThinking(token: number): boolean {
    const { answer, thought, textOf, isEnd } = this.#options
    if (isEnd(token)) {
      // An answer is owed: the thought ends, not the text.
      if (answer) this.#forceClose()
      return !answer
    }
    const text = textOf(token)
    const seen = this.#tail + text
    const at = seen.indexOf(thought.close)
    if (answer && at >= 0 && seen.slice(at + thought.close.length).trim() !== '') {
      // The token is the end of the tag and the begin of an answer that nobody has checked: the tag alone comes first.
      this.#forced = this.#options.tokenize(thought.close.slice(overlap(this.#tail, thought.close)))
      this.#closes = this.#forced.length > 0
      return false
    }
    this.#read(text)
    return true
  }

  /** Text of a thought. */
  #read(text: string): void {
    const { close } = this.#options.thought
    if (this.#phase === 'start') return this.#readAtStart(text)
    if (this.#phase !== 'thinking') return
    this.#thoughtTokens++
    const seen = this.#tail + text
    if (seen.includes(close)) {
      this.#phase = 'answer'
      this.#tail = ''
      this.#introduce()
    } else this.#tail = seen.slice(1 - close.length)
  }

  /** After a thought that the model has closed itself; what closes it otherwise has the introduction in it. */
  #introduce(): void {
    const { thought, tokenize } = this.#options
    if (thought.introduction !== undefined && this.#forced.length === 0) this.#forced = tokenize(thought.introduction)
  }

  #readAtStart(text: string): void {
    const { open } = this.#options.thought
    const seen = (this.#tail + text).trimStart()
    this.#tail += text
    if (open.startsWith(seen) && seen !== open) return
    this.#phase = seen.startsWith(open) ? 'thinking' : 'answer'
    this.#tail = seen.slice(open.length)
  }

  #tryAtStart(token: number): boolean {
    const { answer, thought, textOf, tokenize } = this.#options
    const text = textOf(token)
    const seen = (this.#tail + text).trimStart()
    if (!answer || seen.startsWith(thought.open)) {
      this.#readAtStart(text)
      return true
    }
    if (answer.tryAccept(token)) {
      this.#phase = 'answer'
      return true
    }
    // The begin of the tag, in a vocabulary that has no token for the whole.
    if (seen !== '' && thought.open.startsWith(seen)) this.#forced = tokenize(thought.open)
    return false
  }
}

/** Length of the longest end of `text` that begins `tag`. */
function overlap(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length--) if (tag.startsWith(text.slice(-length))) return length
  return 0
}
