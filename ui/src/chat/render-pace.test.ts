import { describe, expect, it } from 'vitest'
import { createRenderPace } from './render-pace.ts'

describe('createRenderPace', () => {
  it.each([
    { tookMs: 1, delayMs: 60 },
    { tookMs: 40, delayMs: 160 },
    { tookMs: 900, delayMs: 500 },
  ])('waits $delayMs ms after a rendering that took $tookMs ms', ({ tookMs, delayMs }) => {
    let time = 0
    const pace = createRenderPace({ now: () => time, afterRender: (run) => run() })
    expect(pace.delayMs()).toBe(60)
    pace.measure(() => {
      time += tookMs
    })
    expect(pace.delayMs()).toBe(delayMs)
  })
})
