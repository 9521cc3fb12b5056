/** How often a growing answer is rendered: as often as looks continuous, and so that the processor stays free for everything else. */

/** ms between two renderings. */
const FASTEST_MS = 60
const SLOWEST_MS = 500
/** Of the time, rendering takes at most one part in so many. */
const SHARE = 4

export interface RenderPace {
  /** ms until the next rendering. */
  delayMs(): number
  /** Runs what causes a rendering, and notes what that took. */
  measure(render: () => void): void
}

export interface RenderPaceOptions {
  now?: () => number
  /** Runs after the rendering. */
  afterRender?: (run: () => void) => void
}

export function createRenderPace({ now = () => performance.now(), afterRender = nextTask }: RenderPaceOptions = {}): RenderPace {
  let tookMs = 0
  return {
    delayMs: () => Math.min(SLOWEST_MS, Math.max(FASTEST_MS, tookMs * SHARE)),
    measure: (render) => {
      const startedAt = now()
      render()
      afterRender(() => {
        tookMs = now() - startedAt
      })
    },
  }
}

/** React renders what a store told before the next task begins. */
function nextTask(run: () => void): void {
  setTimeout(run)
}
