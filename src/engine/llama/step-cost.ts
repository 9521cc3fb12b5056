/**
 * What a step costs here, learned while running, and from it how many prompt tokens may ride along.
 *
 *   step ms ≈ base + perRow · (tokens of running answers) + perToken · (prompt tokens)
 *
 *   |<------------------ target ------------------>|
 *   | base | rows of the running | prompt tokens … |     while somebody is reading
 *   | base | prompt tokens ………………………… up to most |     when nobody is
 *
 * A prompt token has two prices. Flash attention on processors takes 64 rows of a sequence as one tile and fewer row by row (ggml-cpu, ops.cpp,
 * `GGML_FA_TILE_Q`), which over a thousand cells costs twice as much a token. So a whole tile may take longer than the target.
 */
export interface StepShape {
  /** Tokens of running sequences, drafts included. */
  rows: number
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
/** One more than a tile: in the split layout a chunk's first token is computed together with those of the readers. */
const TILE_CHUNK = 65
/** What a step with one tile may take at most, where the target is our own. */
const TILE_MAX_MS = 600

export class StepCost {
  readonly #options: StepCostOptions
  /** Weighted sums for the line ms = base + perRow · rows (least squares). */
  #sums = { weight: 0, rows: 0, ms: 0, rowsRows: 0, rowsMs: 0 }
  /** ms a prompt token, in chunks of less than a tile and of more. */
  #perToken: { few?: number; tiled?: number } = {}
  #lastPromptMs = 0
  /**
   * Rows → ms of a step that nothing disturbed. Another process can only make a step longer, so the short ones tell the truth;
   * one long step must not make a row look dearer than it is.
   */
  readonly #undisturbed = new Map<number, number>()

  constructor(options: StepCostOptions) {
    this.#options = options
  }

  /** Predicted ms of a step that only decodes. Undefined until one was seen. */
  decodeMs(rows: number): number | undefined {
    const line = this.#line()
    return line && line.base + line.perRow * rows
  }

  /** What one more row costs, as a part of the whole step with `rows`. A guess of 0.25 for one row until it was measured. */
  marginalRow(rows: number): number {
    const base = this.#undisturbed.get(rows)
    const [widest, ms] = [...this.#undisturbed].reduce((most, entry) => (entry[0] > most[0] ? entry : most), [rows, 0])
    if (base === undefined || widest === rows) return 0.25 / (0.75 + 0.25 * rows)
    return Math.max(0, ms - base) / (widest - rows) / base
  }

  targetMs(rows: number): number {
    if (this.#options.targetMs !== undefined) return this.#options.targetMs
    const decode = this.decodeMs(rows) ?? TARGET_MAX_MS / TARGET_FACTOR
    return Math.min(TARGET_MAX_MS, Math.max(TARGET_MIN_MS, decode * TARGET_FACTOR))
  }

  /** Prompt tokens that may join a step with `rows` rows of running sequences. */
  promptBudget(rows: number): number {
    if (rows === 0) return this.#options.idleTokens
    const { few, tiled = few } = this.#perToken
    if (tiled === undefined) return Math.min(MIN_CHUNK * 2, this.#options.idleTokens)
    const decode = this.decodeMs(rows) ?? 0
    const left = this.targetMs(rows) - decode
    const leftForTile = this.#options.targetMs === undefined ? TILE_MAX_MS - decode : left
    const tokens =
      TILE_CHUNK * tiled <= leftForTile
        ? Math.max(TILE_CHUNK, Math.floor(left / tiled))
        : Math.max(MIN_CHUNK, Math.floor(left / (few ?? tiled)))
    return Math.min(this.#options.idleTokens, tokens)
  }

  /** After a step with prompt tokens: whether one without comes first, so that a token without text is not felt as two long steps. */
  allowsBreath(rows: number): boolean {
    const decode = this.decodeMs(rows)
    return rows > 0 && decode !== undefined && decode * BREATH_SHARE <= this.#lastPromptMs
  }

  observe(shape: StepShape, ms: number): void {
    if (shape.promptTokens === 0) this.#observeRows(shape.rows, ms)
    else this.#observePrompt(shape, ms)
  }

  #observeRows(rows: number, ms: number): void {
    const before = this.#undisturbed.get(rows) ?? ms
    this.#undisturbed.set(rows, ms < before ? ms : before + (ms - before) * SLOW_FADE)
    const s = this.#sums
    this.#sums = {
      weight: s.weight * MEMORY + 1,
      rows: s.rows * MEMORY + rows,
      ms: s.ms * MEMORY + ms,
      rowsRows: s.rowsRows * MEMORY + rows * rows,
      rowsMs: s.rowsMs * MEMORY + rows * ms,
    }
  }

  #observePrompt(shape: StepShape, ms: number): void {
    this.#lastPromptMs = ms
    if (shape.promptTokens < MIN_CHUNK / 2) return
    const perToken = Math.max(0.001, (ms - (shape.rows > 0 ? (this.decodeMs(shape.rows) ?? 0) : 0)) / shape.promptTokens)
    const { few, tiled } = this.#perToken
    if (shape.promptTokens >= TILE_CHUNK) this.#perToken = { ...this.#perToken, tiled: blend(tiled, perToken) }
    // Row by row is never the cheaper way: a tile that was dear (at the end of a long prompt) is tried again where that became cheap.
    else this.#perToken = { few: blend(few, perToken), tiled: Math.min(tiled ?? Infinity, blend(few, perToken)) }
  }

  #line(): { base: number; perRow: number } | undefined {
    const { weight, rows, ms, rowsRows, rowsMs } = this.#sums
    if (weight === 0) return undefined
    const spread = weight * rowsRows - rows * rows
    // All steps had about the same number of rows: only their mean is known.
    if (spread < 0.01 * weight * weight) return { base: ms / weight, perRow: 0 }
    const perRow = Math.max(0, (weight * rowsMs - rows * ms) / spread)
    return { base: Math.max(0, (ms - perRow * rows) / weight), perRow }
  }
}

function blend(before: number | undefined, now: number): number {
  return before === undefined ? now : before * 0.7 + now * 0.3
}
