import { describe, expect, it } from 'vitest'
import type { WorkerEvent } from './messages.ts'
import { Outbox } from './outbox.ts'

const text = (word: string): WorkerEvent => ({ type: 'text', choice: 0, text: word, tokens: 1, thoughtTokens: 0 })
const prefill: WorkerEvent = { type: 'prefill', done: 1, total: 1 }

/** An outbox on a clock of its own: `at` moves it and runs what is due. */
function onClock(): { outbox: Outbox; sent: string[]; at(ms: number): void } {
  const sent: string[] = []
  let now = 0
  let waiting: { at: number; action: () => void }[] = []
  const outbox = new Outbox({
    send: (events) => sent.push(`${now}: ${events.map(([, event]) => (event.type === 'text' ? event.text : event.type)).join(' ')}`),
    now: () => now,
    later: (ms, action) => waiting.push({ at: now + ms, action }),
  })
  const nextAt = (): number => Math.min(...waiting.map((each) => each.at))
  const runNext = (): void => {
    now = nextAt()
    const due = waiting.filter((each) => each.at === now)
    waiting = waiting.filter((each) => each.at !== now)
    for (const { action } of due) action()
  }
  return {
    outbox,
    sent,
    at: (ms) => {
      while (nextAt() <= ms) runNext()
      now = ms
    },
  }
}

function post(clock: ReturnType<typeof onClock>, ...events: WorkerEvent[]): void {
  postAs(1, clock, ...events)
}

/** A word each 100 ms, a step for each. */
function postThree(clock: ReturnType<typeof onClock>): void {
  for (const [i, word] of ['a', 'b', 'c'].entries()) {
    clock.at(i * 100)
    post(clock, text(word))
  }
}

function postAs(generation: number, { outbox }: ReturnType<typeof onClock>, ...events: WorkerEvent[]): void {
  for (const event of events) outbox.add(generation, event)
  outbox.post()
}

describe('Outbox', () => {
  it('sends text at once after a pause', () => {
    const clock = onClock()
    post(clock, text('a'))
    clock.at(45)
    post(clock, text('b'))
    clock.at(46)
    expect(clock.sent).toEqual(['0: a', '45: b'])
  })

  it('lets the text of fast steps wait for company, for 40 ms at most', () => {
    const clock = onClock()
    for (let step = 0; step < 8; step++) {
      clock.at(step * 10)
      post(clock, text(String(step)))
    }
    clock.at(200)
    expect(clock.sent).toEqual(['0: 0', '40: 1 2 3', '80: 4 5 6 7'])
  })

  it('sends everything of a generation at once, in its order, when something comes that cannot wait', () => {
    const clock = onClock()
    post(clock, text('a'))
    clock.at(5)
    post(clock, text('b'))
    clock.at(7)
    post(clock, prefill, text('c'))
    clock.at(100)
    expect(clock.sent).toEqual(['0: a', '7: b prefill c'])
  })

  it('sends at once what cannot wait, and lets the text of others wait', () => {
    const clock = onClock()
    post(clock, text('a'))
    clock.at(5)
    post(clock, text('b'))
    clock.at(7)
    postAs(2, clock, prefill, text('first'))
    clock.at(100)
    expect(clock.sent).toEqual(['0: a', '7: prefill first', '40: b'])
  })

  it('sends what is left when asked, and nothing twice', () => {
    const clock = onClock()
    post(clock, text('a'))
    clock.at(1)
    post(clock, text('b'))
    clock.outbox.send()
    clock.outbox.send()
    clock.at(100)
    expect(clock.sent).toEqual(['0: a', '1: b'])
  })

  /** After an even step periods of two short ones and a long one; a word each. `longMs`: what the long ones take. */
  function uneven(longMs: readonly number[]): { sentAt: number[]; words: number } {
    const clock = onClock()
    post(clock, text('even'))
    let [now, words] = [0, 1]
    for (const ms of longMs) {
      for (const stepMs of [50, 50, ms]) {
        clock.outbox.keepPace(250)
        now += stepMs
        clock.at(now)
        post(clock, text(String(words++)))
      }
    }
    clock.at(now + 5000)
    return { sentAt: clock.sent.map((line) => Number.parseInt(line, 10)), words }
  }

  function longestGap(times: readonly number[]): number {
    return Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? 0)))
  }

  it("sends the text of uneven steps at the readers' pace, a step at a time", () => {
    const { sentAt, words } = uneven(Array<number>(12).fill(650))
    expect(sentAt).toHaveLength(words)
    expect(longestGap(sentAt)).toBeLessThan(250 * 1.2)
  })

  it('has text in reserve for a step that takes longer', () => {
    const { sentAt } = uneven(Array.from({ length: 20 }, (_, i) => (i % 7 === 6 ? 800 : 650)))
    expect(longestGap(sentAt)).toBeLessThan(250 * 1.2)
  })

  it('sends what it held back when the steps are even again', () => {
    const clock = onClock()
    clock.outbox.keepPace(500)
    postThree(clock)
    clock.at(300)
    clock.outbox.keepPace(0)
    clock.at(1000)
    expect(clock.sent).toEqual(['0: a', '300: b c'])
  })

  it('never holds text for more than a second', () => {
    const clock = onClock()
    clock.outbox.keepPace(5000)
    postThree(clock)
    clock.at(9000)
    expect(clock.sent).toEqual(['0: a', '1100: b', '1200: c'])
  })

  it('sends the text of a generation with what ends it, also while others are held back', () => {
    const clock = onClock()
    clock.outbox.keepPace(500)
    post(clock, text('a'))
    clock.at(100)
    post(clock, text('b'))
    postAs(2, clock, text('x'))
    clock.at(200)
    postAs(2, clock, text('y'), prefill)
    clock.at(1000)
    expect(clock.sent).toEqual(['0: a', '200: x y prefill', '575: b'])
  })
})
