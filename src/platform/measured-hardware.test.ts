import { expect, test } from 'vitest'
import { deferred } from '../base/async.ts'
import type { Hardware } from '../shared/api.ts'
import { measuredHardware } from './measured-hardware.ts'
import type { MeasuredHardwareOptions } from './measured-hardware.ts'

const hardware: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'test', cores: 2, physicalCores: 2, features: [] },
  memory: { totalBytes: 16e9, availableBytes: 8e9 },
  disk: { path: '/', freeBytes: 1e9, totalBytes: 1e9 },
  gpus: [],
}
const withSpeed = (readBytesPerSecond: number): Hardware => ({ ...hardware, memory: { ...hardware.memory, readBytesPerSecond } })

function measuring(
  options: Partial<MeasuredHardwareOptions> & Pick<MeasuredHardwareOptions, 'measure'>,
): ReturnType<typeof measuredHardware> {
  return measuredHardware({ probe: async () => hardware, ...options })
}

test('what was measured before is not measured again', async () => {
  const fail = (): never => {
    throw new Error('measured')
  }
  const { hardware: ask } = measuring({ probe: async () => withSpeed(20e9), measure: fail })
  expect((await ask()).memory.readBytesPerSecond).toBe(20e9)
})

test('many who ask at once share one measurement, and get what is free now', async () => {
  let measured = 0
  const { hardware: ask } = measuring({
    measure: async (before) => {
      measured += 1
      return { ...withSpeed(33e9), gpus: before.gpus }
    },
  })
  const answers = await Promise.all([ask(), ask(), ask()])
  expect(answers.map(({ memory }) => memory.readBytesPerSecond)).toEqual([33e9, 33e9, 33e9])
  expect(measured).toBe(1)
})

test('nobody waits longer than the patience; who asks later gets the number', async () => {
  const slow = deferred<Hardware>()
  const { hardware: ask } = measuring({ measure: () => slow.promise, patienceMs: 1 })
  expect((await ask()).memory.readBytesPerSecond).toBeUndefined()
  const later = ask()
  slow.resolve(withSpeed(12e9))
  expect((await later).memory.readBytesPerSecond).toBe(12e9)
})

test('a machine that could not be measured is left alone for a minute', async () => {
  let [measured, now] = [0, 0]
  const { hardware: ask } = measuring({
    measure: async (before) => {
      measured += 1
      if (measured === 2) throw new Error('no threads')
      return before
    },
    now: () => now,
  })
  await ask()
  await ask()
  expect(measured).toBe(1)
  now = 61_000
  expect((await ask()).memory.readBytesPerSecond).toBeUndefined()
  expect(measured).toBe(2)
})

test('closing ends a measurement and waits for it', async () => {
  const stopped = deferred<void>()
  const { hardware: ask, close } = measuring({
    patienceMs: 1,
    measure: (before, signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          stopped.resolve()
          resolve(before)
        }),
      ),
  })
  await ask()
  await close()
  await stopped.promise
  expect((await ask()).memory.readBytesPerSecond).toBeUndefined()
})
