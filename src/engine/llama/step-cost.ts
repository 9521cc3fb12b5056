/**
 * What a step costs here, learned while running, and from it how many prompt tokens and how many guesses may ride along.
 *
 *   step ms ≈ base + perRow · (running answers) + perToken · (prompt tokens)
 *
 *   |<------------------ target ------------------>|
 *   | base | rows of the running | prompt tokens … |     while somebody is reading
 *   | base | prompt tokens ………………………… up to most |     when nobody is
 *
 * A token has two prices. Flash attention on processors takes 64 rows of a sequence as one tile and fewer row by row (ggml-cpu, ops.cpp,
 * `GGML_FA_TILE_Q`), which over a thousand cells costs twice as much a token. So a whole tile may take longer than the target, and where
 * guesses are nearly sure, 63 of them may pay where 15 do not.
 */
import { FadingLine } from './fading-line.ts'

export interface StepShape {
  /** Running sequences: each has a row for its last token. */
  answers: number
  /** Rows of guessed tokens. */
  guesses: number
  promptTokens: number
}

export interface StepCostOptions {
  /** Fixed target in ms; absent = relative to what a step without prompt costs here. */
  targetMs?: number
  /** Prompt tokens in a step when nobody is waiting for a next token. */
  idleTokens: number
}

/** Old measurements fade with this weight a step. */
const MEMORY = 0.97
/** How fast a short step is forgotten when the steps stay longer. */
const SLOW_FADE = 0.02
/** A step with prompt tokens may take this many times a step without, within the bounds below. */
const TARGET_FACTOR = 6
const TARGET_MIN_MS = 80
const TARGET_MAX_MS = 500
const MIN_CHUNK = 16
/** Beside a chunk that takes so many times a step without, readers get a step of their own in between: that costs the prompt little. */
const BREATH_SHARE = 8
/** Rows of one sequence that attention takes together. */
const TILE = 64
/** One more than a tile: in the split layout a chunk's first token is computed together with those of the readers. */
const TILE_CHUNK = TILE + 1
/** What a step with one tile may take at most, where the target is our own. */
const TILE_MAX_MS = 600
/** What a guess costs until it was measured, as a part of a step without. */
const FIRST_GUESS_SHARE = 0.25
/** Guesses must promise so many times the tokens a second that come without them. */
const WORTHWHILE = 1.05
/** A step that takes longer than so many times what was expected was disturbed: it counts as that much. */
const MOST_SURPRISE = 2

export class StepCost {
  readonly #options: StepCostOptions
  /** Running answers → ms of a step that only decodes. */
  readonly #decode = new FadingLine(MEMORY)
  /** ms a prompt token, in chunks of less than a tile and of more. */
  #perToken: { few?: number; tiled?: number } = {}
  #lastPromptMs = 0
  /**
   * Running answers → ms of a step without guesses that nothing disturbed. Another process can only make a step longer, so the short ones tell
   * the truth; one long step must not make a row look dearer than it is.
   */
  readonly #undisturbed = new Map<number, number>()
  /** Running answers → guesses → how many times such a step a step with them takes; fewer rows than a tile. */
  readonly #guessed = new Map<number, FadingLine>()

  constructor(options: StepCostOptions) {
    this.#options = options
  }

  /** Predicted ms of a step that only decodes, without guesses. Undefined until one was seen. */
  decodeMs(answers: number): number | undefined {
    return this.#undisturbed.get(answers) ?? this.#decode.at(answers)
  }

  /** Predicted ms of any step. Undefined until enough was seen. */
  stepMs({ answers, guesses, promptTokens }: StepShape): number | undefined {
    const decode = answers === 0 ? 0 : (this.#guessMs(answers, guesses) ?? this.decodeMs(answers))
    const { few, tiled } = this.#perToken
    const perToken = promptTokens === 0 ? 0 : promptTokens < TILE_CHUNK ? (few ?? tiled) : tiled
    return decode === undefined || perToken === undefined ? undefined : decode + promptTokens * perToken
  }

  /**
   * How many of a sequence's next guesses are worth their time: as many as give the most tokens a second.
   * `chances`: for each guess, how likely it and all before it are right. `taken`: guesses of other sequences in this step, and how many are right.
   */
  worthwhile(answers: number, chances: readonly number[], taken = { guesses: 0, right: 0 }): number {
    const without = this.#guessMs(answers, taken.guesses)
    if (without === undefined) return 0
    const most = this.#mostGuessMs(answers)
    let [tokens, count] = [answers + taken.right, 0]
    let best = (tokens / without) * WORTHWHILE
    chances.forEach((chance, i) => {
      tokens += chance
      const ms = this.#guessMs(answers, taken.guesses + i + 1) ?? Number.POSITIVE_INFINITY
      if (ms > most || tokens / ms <= best) return
      best = tokens / ms
      count = i + 1
    })
    return count
  }

  targetMs(answers: number): number {
    if (this.#options.targetMs !== undefined) return this.#options.targetMs
    const decode = this.decodeMs(answers) ?? TARGET_MAX_MS / TARGET_FACTOR
    return Math.min(TARGET_MAX_MS, Math.max(TARGET_MIN_MS, decode * TARGET_FACTOR))
  }

  /** Prompt tokens that may join a step of so many running answers. */
  promptBudget(answers: number): number {
    if (answers === 0) return this.#options.idleTokens
    const { few, tiled = few } = this.#perToken
    if (tiled === undefined) return Math.min(MIN_CHUNK * 2, this.#options.idleTokens)
    const decode = this.decodeMs(answers) ?? 0
    const left = this.targetMs(answers) - decode
    const leftForTile = this.#options.targetMs === undefined ? TILE_MAX_MS - decode : left
    const tokens =
      TILE_CHUNK * tiled <= leftForTile
        ? Math.max(TILE_CHUNK, Math.floor(left / tiled))
        : Math.max(MIN_CHUNK, Math.floor(left / (few ?? tiled)))
    return Math.min(this.#options.idleTokens, tokens)
  }

  /** After a step with prompt tokens: whether one without comes first, so that a token without text is not felt as two long steps. */
  allowsBreath(answers: number): boolean {
    const decode = this.decodeMs(answers)
    return answers > 0 && decode !== undefined && decode * BREATH_SHARE <= this.#lastPromptMs
  }

  observe(shape: StepShape, ms: number): void {
    if (shape.promptTokens > 0) this.#observePrompt(shape, ms)
    else if (shape.guesses > 0) this.#observeGuesses(shape, ms)
    else this.#observeDecode(shape.answers, ms)
  }

  #observeDecode(answers: number, ms: number): void {
    const before = this.#undisturbed.get(answers) ?? ms
    this.#undisturbed.set(answers, ms < before ? ms : before + (ms - before) * SLOW_FADE)
    this.#decode.observe(answers, ms)
  }

  #observeGuesses({ answers, guesses }: StepShape, ms: number): void {
    const plain = this.#undisturbed.get(answers)
    const expected = this.#guessMs(answers, guesses)
    if (plain === undefined || expected === undefined) return
    const counted = Math.min(ms, expected * MOST_SURPRISE)
    const { tiled } = this.#perToken
    if (answers + guesses >= TILE) this.#perToken = { ...this.#perToken, tiled: blend(tiled, counted / (answers + guesses)) }
    else this.#guessLine(answers, plain).observe(guesses, counted / plain)
  }

  /** Predicted ms of a step with guesses. Undefined until one without was seen. */
  #guessMs(answers: number, guesses: number): number | undefined {
    const plain = this.#undisturbed.get(answers)
    if (plain === undefined || guesses === 0) return plain
    const rows = answers + guesses
    if (rows >= TILE && this.#perToken.tiled !== undefined) return Math.max(plain, rows * this.#perToken.tiled)
    return plain * (this.#guessLine(answers, plain).at(guesses) ?? 1)
  }

  /** Begins with a guess: from what a prompt token costs, if that is known. */
  #guessLine(answers: number, plain: number): FadingLine {
    const known = this.#guessed.get(answers)
    if (known) return known
    const share = this.#perToken.tiled === undefined ? FIRST_GUESS_SHARE : this.#perToken.tiled / plain
    const line = new FadingLine(MEMORY)
    for (const guesses of [0, 4]) line.observe(guesses, 1 + share * guesses)
    this.#guessed.set(answers, line)
    return line
  }

  /** One reader alone may wait for a whole tile; several must not wait long for the guesses of one. */
  #mostGuessMs(answers: number): number {
    if (this.#options.targetMs !== undefined) return this.#options.targetMs
    return answers === 1 ? TILE_MAX_MS : this.targetMs(answers)
  }

  #observePrompt(shape: StepShape, ms: number): void {
    this.#lastPromptMs = ms
    if (shape.promptTokens < MIN_CHUNK / 2) return
    const perToken = Math.max(0.001, (ms - (shape.answers > 0 ? (this.decodeMs(shape.answers) ?? 0) : 0)) / shape.promptTokens)
    const { few, tiled } = this.#perToken
    if (shape.promptTokens >= TILE_CHUNK) this.#perToken = { ...this.#perToken, tiled: blend(tiled, perToken) }
    // Row by row is never the cheaper way: a tile that was dear (at the end of a long prompt) is tried again where that became cheap.
    else this.#perToken = { few: blend(few, perToken), tiled: Math.min(tiled ?? Infinity, blend(few, perToken)) }
  }
}

function blend(before: number | undefined, now: number): number {
  return before === undefined ? now : before * 0.7 + now * 0.3
}
