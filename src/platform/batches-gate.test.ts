import { expect, test } from 'vitest'
import { ManualClock } from '../../test/fakes/manual-clock.ts'
import { deferred, type Deferred } from '../base/async.ts'
import { BatchGate, type EngineLoad } from './batches-gate.ts'

interface Scene {
  clock: ManualClock
  load: EngineLoad
  started: number
  /** Begins one more line. */
  line(): void
  /** Ends the line that began first. */
  end(): Promise<void>
  /** Time passes in steps, as the gate looks. */
  pass(ms: number): Promise<void>
}

function scene(parallel: number): Scene {
  const clock = new ManualClock()
  const work: Deferred<void>[] = []
  const { signal } = new AbortController()
  const self: Scene = {
    clock,
    load: 'free',
    started: 0,
    line: () => {
      void gate.run(signal, () => {
        self.started += 1
        const one = deferred<void>()
        work.push(one)
        return one.promise
      })
    },
    end: async () => {
      work.shift()?.resolve()
      await settled()
    },
    pass: async (ms) => {
      for (let done = 0; done < ms; done += 200) {
        clock.advance(200)
        await settled()
      }
    },
  }
  const gate = new BatchGate({ parallel, clock, load: async () => self.load })
  return self
}

/** Everything that can go on without time going on has done so. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('lines run side by side while there is room', async () => {
  const gate = scene(2)
  for (let line = 0; line < 3; line++) gate.line()
  await settled()
  expect(gate.started).toBe(2)
  await gate.end()
  expect(gate.started).toBe(3)
})

test('a line never joins the queue of people while another line runs', async () => {
  const gate = scene(2)
  gate.line()
  await settled()
  for (const load of ['full', 'waiting'] as const) {
    gate.load = load
    gate.line()
    await gate.pass(120_000)
    expect(gate.started).toBe(1)
  }
  gate.load = 'free'
  await gate.pass(200)
  expect(gate.started).toBe(2)
})

test('while people wait without end one line goes every now and then, never two at once', async () => {
  const gate = scene(4)
  gate.load = 'waiting'
  for (let line = 0; line < 4; line++) gate.line()
  await gate.pass(29_000)
  expect(gate.started).toBe(0)
  await gate.pass(1200)
  expect(gate.started).toBe(1)
  await gate.pass(60_000)
  expect(gate.started).toBe(1)
  await gate.end()
  await gate.pass(29_000)
  expect(gate.started).toBe(1)
  await gate.pass(1200)
  expect(gate.started).toBe(2)
})

test('an abort takes a line out, whether it waits for its turn or for room', async () => {
  const clock = new ManualClock()
  const gate = new BatchGate({ parallel: 1, clock, load: async () => 'full' })
  const controller = new AbortController()
  const ends = [0, 1].map(() => gate.run(controller.signal, async () => 'ran').catch(() => 'stopped'))
  await settled()
  controller.abort()
  expect(await Promise.all(ends)).toEqual(['stopped', 'stopped'])
})
