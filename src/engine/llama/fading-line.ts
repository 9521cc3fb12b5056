/** A straight line y = base + slope · x through what was observed (least squares), where old observations fade. */
export class FadingLine {
  readonly #memory: number
  readonly #knownSpread: number
  #sums = { weight: 0, x: 0, y: 0, xx: 0, xy: 0 }

  /**
   * `memory`: the weight that an observation keeps with each that comes after it, 0…1.
   * `knownSpread`: the standard deviation of x from which on the observations say something about the slope.
   */
  constructor(memory: number, knownSpread = 0.1) {
    this.#memory = memory
    this.#knownSpread = knownSpread
  }

  observe(x: number, y: number): void {
    const { weight, ...s } = this.#sums
    const keep = this.#memory
    this.#sums = { weight: weight * keep + 1, x: s.x * keep + x, y: s.y * keep + y, xx: s.xx * keep + x * x, xy: s.xy * keep + x * y }
  }

  /** Neither the line nor its slope is ever negative. Undefined until something was observed. */
  at(x: number): number | undefined {
    const { weight, ...s } = this.#sums
    if (weight === 0) return undefined
    const spread = weight * s.xx - s.x * s.x
    // All were observed at about the same x: only their mean is known.
    if (spread < (this.#knownSpread * weight) ** 2) return s.y / weight
    const slope = Math.max(0, (weight * s.xy - s.x * s.y) / spread)
    const base = (s.y - slope * s.x) / weight
    // Of the lines that are never negative the best one then begins at 0, and is less steep.
    return base < 0 ? (s.xy / s.xx) * x : base + slope * x
  }
}
