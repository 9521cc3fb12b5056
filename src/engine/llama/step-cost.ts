/**
 * What a step costs here, learned while running, and from it how many prompt tokens and how many guesses may ride along.
 *
 *   step ms ≈ base + perRow · (running answers) + price(depth) · (prompt tokens)
 *
 *   |<------------------ target ------------------>|
 *   | base | rows of the running | prompt tokens … |     while somebody is reading
 *   | base | prompt tokens ………………………… up to most |     when nobody is
 *
 * A token has two prices. Flash attention on processors takes 64 rows of a sequence as one tile and fewer row by row (ggml-cpu, ops.cpp,
 * `GGML_FA_TILE_Q`), which over a thousand cells costs twice as much a token: both grow with the depth, the cells before the token, the
 * second one faster. So a whole tile may take longer than the target, and where guesses are nearly sure, 63 of them may pay where 15 do not.
 *
 * Before a long step readers breathe: they get a few steps of their own, so that they go on at about the target's pace (the outbox makes it even).
 */
import { FadingLine } from './fading-line.ts'

export interface StepShape {
  /** Running sequences: each has a row for its last token. */
  answers: number
  /** Rows of guessed tokens. */
  guesses: number
  promptTokens: number
  /** Cells before the guesses or the prompt tokens, on average. */
  depth: number
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
/** A breath may take 1/BREATH_SHARE of the time of the step with prompt tokens after it: that costs the prompt little. */
const BREATH_SHARE = 5
const MOST_BREATHS = 2
/** Rows of one sequence that attention takes together. */
const TILE = 64
/** One more than a tile: in the split layout a chunk's first token is computed together with those of the readers. */
const TILE_CHUNK = TILE + 1
/** What a step with one tile may take at most, where the target is our own. */
const TILE_MAX_MS = 600
/** A tile of a prompt may take longer where the prompt goes on so many times as fast with it … */
const CLEARLY_FASTER = 1.1
/** … and readers, with their breaths, still get a token so often. */
const PACE_MAX_MS = 700
/** What a tile of guesses may take at most for a reader who is alone: all of it is his own text. */
const OWN_TILE_MAX_MS = 1_500
/** What a token of a tile costs until one was tried, as a part of what it costs row by row: so that it is tried. */
const FIRST_TILE_SHARE = 0.75
/** How fast the prices of prompt tokens fade. */
const PRICE_MEMORY = 0.9
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
  /** Depth → ms a prompt token, in chunks of less than a tile and of more. */
  readonly #few = new FadingLine(PRICE_MEMORY, TILE)
  readonly #tiled = new FadingLine(PRICE_MEMORY, TILE)
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

  /**
   * How many of a sequence's next guesses are worth their time: as many as give the most tokens a second.
   * `chances`: for each guess, how likely it and all before it are right. `depth`: cells before them.
   * `taken`: guesses of other sequences in this step, and how many are right.
   */
  worthwhile(answers: number, chances: readonly number[], depth: number, taken = { guesses: 0, right: 0 }): number {
    const without = this.#guessMs(answers, taken.guesses, depth)
    if (without === undefined) return 0
    const most = this.#mostGuessMs(answers)
    let [tokens, count] = [answers + taken.right, 0]
    let best = (tokens / without) * WORTHWHILE
    chances.forEach((chance, i) => {
      tokens += chance
      const ms = this.#guessMs(answers, taken.guesses + i + 1, depth) ?? Number.POSITIVE_INFINITY
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

  /**
   * Prompt tokens that may join a step of so many running answers, where `depth` cells are before them. `wanted`: what a lone prompt still
   * needs. It begins with what is left over when all other steps are whole tiles: a part of a tile is dearer the deeper it is. (Not so
   * while nobody reads: libllama computes 256 cells at a time, and whole batches end where those do.)
   */
  promptBudget(answers: number, depth: number, wanted = 0): number {
    if (answers === 0) return this.#options.idleTokens
    const tiled = this.#tiledAt(depth)
    if (tiled === undefined) return Math.min(MIN_CHUNK * 2, this.#options.idleTokens)
    const decode = this.decodeMs(answers) ?? 0
    const left = this.targetMs(answers) - decode
    const few = this.#few.at(depth) ?? tiled
    const byRow = Math.max(MIN_CHUNK, Math.floor(left / few))
    const takesTile = this.#allowsTile(decode, decode + TILE_CHUNK * tiled, byRow / (decode + byRow * few))
    const fitting = Math.floor(left / tiled)
    const inTiles = fitting > TILE_CHUNK ? fitting : wanted % TILE_CHUNK || TILE_CHUNK
    return Math.min(this.#options.idleTokens, takesTile ? inTiles : byRow)
  }

  /**
   * How many steps readers get for themselves before one with so many prompt tokens, and ms from one token of theirs to the next, on average
   * over those steps; 0 where all are as long as the target or shorter.
   */
  breathing(answers: number, depth: number, promptTokens: number): { breaths: number; paceMs: number } {
    const decode = this.decodeMs(answers)
    const price = promptTokens < TILE_CHUNK ? this.#few.at(depth) : this.#tiledAt(depth)
    if (answers === 0 || decode === undefined || price === undefined) return { breaths: 0, paceMs: 0 }
    const ms = decode + promptTokens * price
    const breaths = ms > this.targetMs(answers) ? breathsBefore(ms, decode) : 0
    return { breaths, paceMs: breaths === 0 ? 0 : paceWith(ms, decode) }
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

  #observeGuesses({ answers, guesses, depth }: StepShape, ms: number): void {
    const plain = this.#undisturbed.get(answers)
    const expected = this.#guessMs(answers, guesses, depth)
    if (plain === undefined || expected === undefined) return
    const counted = Math.min(ms, expected * MOST_SURPRISE)
    if (answers + guesses >= TILE) this.#tiled.observe(depth, counted / (answers + guesses))
    else this.#guessLine(answers, plain, this.#tiledAt(depth)).observe(guesses, counted / plain)
  }

  /** Predicted ms of a step with guesses. Undefined until one without was seen. */
  #guessMs(answers: number, guesses: number, depth: number): number | undefined {
    const plain = this.#undisturbed.get(answers)
    if (plain === undefined || guesses === 0) return plain
    const rows = answers + guesses
    const tiled = this.#tiledAt(depth)
    if (rows >= TILE && tiled !== undefined) return Math.max(plain, rows * tiled)
    return plain * (this.#guessLine(answers, plain, tiled).at(guesses) ?? 1)
  }

  /** Begins with a guess: from what a prompt token costs, if that is known. */
  #guessLine(answers: number, plain: number, tiled: number | undefined): FadingLine {
    const known = this.#guessed.get(answers)
    if (known) return known
    const share = tiled === undefined ? FIRST_GUESS_SHARE : tiled / plain
    const line = new FadingLine(MEMORY)
    for (const guesses of [0, 4]) line.observe(guesses, 1 + share * guesses)
    this.#guessed.set(answers, line)
    return line
  }

  /** One reader alone may wait for a whole tile; several must not wait long for the guesses of one. */
  #mostGuessMs(answers: number): number {
    if (this.#options.targetMs !== undefined) return this.#options.targetMs
    return answers === 1 ? OWN_TILE_MAX_MS : this.targetMs(answers)
  }

  /** Whether a step of `tileMs` with a whole tile is better than steps that do `byRow` prompt tokens a ms. */
  #allowsTile(decode: number, tileMs: number, byRow: number): boolean {
    const { targetMs } = this.#options
    if (targetMs !== undefined || tileMs <= TILE_MAX_MS) return tileMs <= (targetMs ?? TILE_MAX_MS)
    const withBreaths = tileMs + breathsBefore(tileMs, decode) * decode
    return paceWith(tileMs, decode) <= PACE_MAX_MS && TILE_CHUNK / withBreaths >= byRow * CLEARLY_FASTER
  }

  /** ms a prompt token in a tile. Undefined until any prompt was seen. */
  #tiledAt(depth: number): number | undefined {
    const few = this.#few.at(0)
    return this.#tiled.at(depth) ?? (few === undefined ? undefined : few * FIRST_TILE_SHARE)
  }

  #observePrompt(shape: StepShape, ms: number): void {
    if (shape.promptTokens < MIN_CHUNK / 2) return
    const perToken = Math.max(0.001, (ms - (shape.answers > 0 ? (this.decodeMs(shape.answers) ?? 0) : 0)) / shape.promptTokens)
    const isTile = shape.promptTokens >= TILE_CHUNK
    const [line, other] = isTile ? [this.#tiled, this.#few] : [this.#few, this.#tiled]
    line.observe(shape.depth, perToken)
    // Row by row is never the cheaper way: where it seems to be, the machine has become faster or slower since the other was seen.
    const known = other.at(shape.depth)
    if (known !== undefined && (isTile ? perToken > known : perToken < known)) other.observe(shape.depth, perToken)
  }
}

/** As many as make the readers' pace TARGET_MAX_MS; one at least, because the prompt hardly feels it. */
function breathsBefore(promptMs: number, decodeMs: number): number {
  const wished = Math.max(1, Math.ceil(promptMs / TARGET_MAX_MS) - 1)
  return Math.min(wished, MOST_BREATHS, Math.floor(promptMs / (decodeMs * BREATH_SHARE)))
}

function paceWith(promptMs: number, decodeMs: number): number {
  const breaths = breathsBefore(promptMs, decodeMs)
  return (promptMs + breaths * decodeMs) / (breaths + 1)
}
