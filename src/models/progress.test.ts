import { expect, test } from 'vitest'

import { createProgressMeter } from './progress.ts'
import type { PullProgress } from './progress.ts'

test('speed is bytes over time, told ten times a second at most', () => {
  const told: PullProgress[] = []
  let now = 0
  const meter = createProgressMeter(
    (progress) => told.push(progress),
    () => now,
  )
  meter.state('downloading', { totalBytes: 10_000_000 })
  for (let bytes = 0; bytes <= 5_000_000; bytes += 10_000) {
    meter.bytes(bytes)
    now += 10
  }
  expect(told.length).toBeLessThanOrEqual(52)
  expect(told.at(-1)?.bytesPerSecond).toBeCloseTo(1_000_000, -4)
  expect(told.at(-1)?.totalBytes).toBe(10_000_000)
})

test('bytes that were here before do not count as speed', () => {
  const told: PullProgress[] = []
  let now = 0
  const meter = createProgressMeter(
    (progress) => told.push(progress),
    () => now,
  )
  meter.state('downloading')
  meter.bytes(900_000_000)
  now += 1000
  meter.bytes(901_000_000)
  expect(told.at(-1)).toMatchObject({ doneBytes: 901_000_000, bytesPerSecond: 1_000_000 })
})
