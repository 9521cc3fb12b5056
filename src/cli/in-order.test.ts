import fc from 'fast-check'
import { expect, it } from 'vitest'
import { deferred } from '../base/async.ts'
import type { Deferred } from '../base/async.ts'
import { inOrder } from './in-order.ts'

/** Jobs that the test finishes one by one. */
function manualJobs(): {
  work(item: number, signal: AbortSignal): Promise<number>
  open: Map<number, Deferred<number>>
  most: () => number
} {
  const open = new Map<number, Deferred<number>>()
  let most = 0
  return {
    open,
    most: () => most,
    work: (item, signal) => {
      const job = deferred<number>()
      open.set(item, job)
      most = Math.max(most, open.size)
      signal.addEventListener('abort', () => job.reject(new Error('aborted')))
      return job.promise.finally(() => open.delete(item))
    },
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('takes results in the order of the items, whatever ends first, and never runs more than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.nat()),
      async (count, parallel, picks) => {
        const items = Array.from({ length: count }, (_, index) => index)
        const jobs = manualJobs()
        const taken: number[] = []
        const all = inOrder(items, { ...jobs, parallel, take: (result) => taken.push(result), signal: new AbortController().signal })
        for (let done = 0; done < count; done += 1) {
          await settle()
          const running = [...jobs.open.keys()]
          expect(running).toHaveLength(Math.min(parallel, count - done))
          const pick = running[(picks.next().value as number) % running.length] ?? 0
          jobs.open.get(pick)?.resolve(pick)
        }
        await all
        expect(taken).toEqual(items)
        expect(jobs.most()).toBeLessThanOrEqual(parallel)
      },
    ),
    { numRuns: 50 },
  )
})

it('takes those before a failure, throws it, and aborts those after it', async () => {
  const jobs = manualJobs()
  const taken: number[] = []
  const all = inOrder([0, 1, 2, 3, 4], {
    ...jobs,
    parallel: 3,
    take: (result) => taken.push(result),
    signal: new AbortController().signal,
  })
  await settle()
  jobs.open.get(1)?.reject(new Error('too long'))
  await settle()
  expect(taken).toEqual([])
  jobs.open.get(0)?.resolve(0)
  await expect(all).rejects.toThrow('too long')
  expect(taken).toEqual([0])
  expect(jobs.open.size).toBe(0)
})

it('starts nothing more once its signal is aborted', async () => {
  const jobs = manualJobs()
  const controller = new AbortController()
  const all = inOrder([0, 1, 2], { ...jobs, parallel: 1, take: () => {}, signal: controller.signal })
  await settle()
  controller.abort(new Error('stop'))
  await expect(all).rejects.toThrow('aborted')
  expect(jobs.most()).toBe(1)
})
