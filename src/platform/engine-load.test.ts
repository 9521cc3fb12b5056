import { expect, test } from 'vitest'
import { engineLoad } from './engine-load.ts'

const deployment = (
  running: number,
  waiting = 0,
  parallel = 2,
  state: 'ready' | 'starting' = 'ready',
): Parameters<typeof engineLoad>[0][number] => ({
  state,
  running,
  waiting,
  info: { context: 1, largestContext: 1, parallel, memory: { weights: 0, kv: 0, compute: 0 }, loadMs: 0 },
})

test.each([
  ['nothing runs yet', [], 'free'],
  ['a place is left', [deployment(1)], 'free'],
  ['a place is left in one of two', [deployment(2), deployment(0)], 'free'],
  ['every place is taken', [deployment(2), deployment(3)], 'full'],
  ['somebody waits, though elsewhere there is room', [deployment(0), deployment(2, 1)], 'waiting'],
  ['somebody waits for a start', [deployment(0, 1, 1, 'starting')], 'waiting'],
] as const)('%s', (_, deployments, load) => {
  expect(engineLoad(deployments)).toBe(load)
})
