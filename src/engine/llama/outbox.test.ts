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

  it("sends the text of uneven steps at the readers' pace, a step at a time", () => {
    const clock = onClock()
    for (let round = 0; round < 3; round++) {
      for (const [i, word] of ['chunk', 'breath', 'breath'].entries()) {
        clock.at(round * 1500 + i * 100)
        post(clock, text(word))
        postAs(2, clock, prefill)
        clock.outbox.keepPace(500)
      }
    }
    clock.at(6000)
    expect(clock.sent.filter((each) => !each.endsWith('prefill'))).toEqual([
      '0: prefill chunk',
      '475: breath',
      '950: breath',
      '1500: prefill chunk',
      '1975: breath',
      '2450: breath',
      '3000: prefill chunk',
      '3475: breath',
      '3950: breath',
    ])
  })

  it('holds nothing back where steps are even', () => {
    const clock = onClock()
    for (let step = 0; step < 4; step++) {
      clock.at(step * 200)
      post(clock, text(String(step)))
      clock.outbox.keepPace(200)
    }
    clock.at(2000)
    expect(clock.sent.slice(1)).toEqual(['200: 1', '400: 2', '600: 3'])
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
    expect(clock.sent).toEqual(['0: a', '200: x y prefill', '475: b'])
  })
})
