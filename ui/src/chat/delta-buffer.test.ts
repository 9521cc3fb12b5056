import { describe, expect, it } from 'vitest'
import { createDeltaBuffer, type Delta } from './delta-buffer.ts'

function harness(): { applied: Delta[]; timers: (() => void)[]; buffer: ReturnType<typeof createDeltaBuffer> } {
  const applied: Delta[] = []
  const timers: (() => void)[] = []
  const buffer = createDeltaBuffer({
    apply: (delta) => applied.push(delta),
    flushMs: () => 60,
    schedule: (run) => {
      timers.push(run)
      return () => timers.splice(timers.indexOf(run), 1)
    },
  })
  return { applied, timers, buffer }
}

describe('createDeltaBuffer', () => {
  it('joins what comes until the timer', () => {
    const { applied, timers, buffer } = harness()
    buffer.push({ thoughts: 'hm' })
    buffer.push({ text: 'a' })
    buffer.push({ text: 'b' })
    expect(applied).toEqual([])
    expect(timers).toHaveLength(1)
    timers[0]?.()
    expect(applied).toEqual([{ text: 'ab', thoughts: 'hm' }])
  })

  it('hands on the rest at once when asked, and cancels the timer', () => {
    const { applied, timers, buffer } = harness()
    buffer.push({ text: 'a' })
    buffer.flush()
    buffer.flush()
    expect(applied).toEqual([{ text: 'a', thoughts: '' }])
    expect(timers).toEqual([])
  })
})
