/** Gathers the pieces of a stream and hands them on at most once in `flushMs()`: words look continuous, and rendering stays cheap. */

export interface Delta {
  text: string
  thoughts: string
}

export interface DeltaBufferOptions {
  apply: (delta: Delta) => void
  /** ms; asked each time. */
  flushMs: () => number
  schedule?: (run: () => void, delayMs: number) => () => void
}

export interface DeltaBuffer {
  push(delta: Partial<Delta>): void
  /** Hands on what is there now. */
  flush(): void
}

export function createDeltaBuffer({ apply, flushMs, schedule = timer }: DeltaBufferOptions): DeltaBuffer {
  let held: Delta = { text: '', thoughts: '' }
  let cancel: (() => void) | undefined
  const flush = (): void => {
    cancel?.()
    cancel = undefined
    if (!held.text && !held.thoughts) return
    const delta = held
    held = { text: '', thoughts: '' }
    apply(delta)
  }
  return {
    push: ({ text = '', thoughts = '' }) => {
      held = { text: held.text + text, thoughts: held.thoughts + thoughts }
      cancel ??= schedule(flush, flushMs())
    },
    flush,
  }
}

function timer(run: () => void, delayMs: number): () => void {
  const id = setTimeout(run, delayMs)
  return () => clearTimeout(id)
}
