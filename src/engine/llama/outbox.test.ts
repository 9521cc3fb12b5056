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
  const runDue = (): void => {
    const due = waiting.filter((each) => each.at <= now)
    waiting = waiting.filter((each) => each.at > now)
    for (const { action } of due) action()
  }
  return {
    outbox,
    sent,
    at: (ms) => {
      runDue()
      for (const next of waiting.map((each) => each.at).toSorted((a, b) => a - b)) {
        if (next > ms) break
        now = next
        runDue()
      }
      now = ms
    },
  }
}

function post(clock: ReturnType<typeof onClock>, ...events: WorkerEvent[]): void {
  postAs(1, clock, ...events)
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

  it('sends text before a long step half-way to the next, so that readers see even steps', () => {
    const clock = onClock()
    for (let round = 0; round < 3; round++) {
      clock.at(round * 420)
      post(clock, text('chunk'))
      postAs(2, clock, prefill)
      clock.outbox.spread(20)
      clock.at(round * 420 + 20)
      post(clock, text('breath'))
      clock.outbox.spread(400)
    }
    clock.at(2000)
    expect(clock.sent).toEqual([
      '0: prefill chunk',
      '210: breath',
      '420: prefill chunk',
      '630: breath',
      '840: prefill chunk',
      '1050: breath',
    ])
  })

  it('holds nothing back where steps are even', () => {
    const clock = onClock()
    for (let step = 0; step < 4; step++) {
      clock.at(step * 200)
      post(clock, text(String(step)))
      clock.outbox.spread(200)
    }
    clock.at(2000)
    expect(clock.sent.slice(1)).toEqual(['200: 1', '400: 2', '600: 3'])
  })

  it('sends at once what waits for a long step that ends sooner', () => {
    const clock = onClock()
    post(clock, text('a'))
    clock.at(30)
    post(clock, text('b'))
    clock.outbox.spread(400)
    clock.at(90)
    post(clock, text('c'))
    clock.at(1000)
    expect(clock.sent).toEqual(['0: a', '90: b c'])
  })
})
