/** Whose turn it is to compute: contexts of one worker share its threads, so only one decodes at a time, in the order of asking. */
export class Turn {
  #tail: Promise<void> = Promise.resolve()

  /** Resolves when it is the caller's turn; the result ends it. */
  async take(): Promise<() => void> {
    const before = this.#tail
    let done: () => void = () => {}
    this.#tail = new Promise((resolve) => (done = resolve))
    await before
    return done
  }
}
