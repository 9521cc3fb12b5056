import { describe, expect, it } from 'vitest'
import { ThreadGovernor } from './thread-governor.ts'

/** Runs steps whose cost depends on the threads; returns how many steps each thread count had. */
function run(governor: ThreadGovernor, steps: number, costMs: (threads: number, step: number) => number): Map<number, number> {
  const used = new Map<number, number>()
  for (let step = 0; step < steps; step++) {
    used.set(governor.threads, (used.get(governor.threads) ?? 0) + 1)
    governor.observe(1, costMs(governor.threads, step))
  }
  return used
}

describe('ThreadGovernor', () => {
  it('stays with all threads on a machine of its own, and hardly ever tries fewer', () => {
    const used = run(new ThreadGovernor(4), 1000, (threads) => 40 / threads + 2)
    expect(used.get(4)).toBeGreaterThan(990)
  })

  it('goes down to one thread where threads wait for each other, within sixty steps', () => {
    const governor = new ThreadGovernor(4)
    run(governor, 60, (threads, step) => (threads === 1 ? 40 : 200 * threads * (1 + (step % 3))))
    expect(governor.threads).toBe(1)
  })

  it('comes back when the machine is free again', () => {
    const governor = new ThreadGovernor(2)
    run(governor, 300, (threads, step) => (threads === 1 ? 40 : 400 * (1 + (step % 3))))
    expect(governor.threads).toBe(1)
    run(governor, 4_200, (threads) => 40 / threads)
    expect(governor.threads).toBe(2)
  })

  it('reacts at once when the machine becomes busy after a long quiet time', () => {
    const governor = new ThreadGovernor(2)
    run(governor, 3_000, (threads) => 40 / threads)
    const used = run(governor, 40, (threads) => (threads === 1 ? 40 : 800))
    expect(governor.threads).toBe(1)
    expect(used.get(1)).toBeGreaterThan(15)
  })

  it('calls a trial off when guesses come, and tries again after them', () => {
    const governor = new ThreadGovernor(2)
    const costs = (threads: number): number => (threads === 1 ? 40 : 800)
    for (let step = 0; step < 400 && governor.threads === 2; step++) governor.observe(1, costs(governor.threads))
    expect(governor.threads).toBe(1)
    expect(governor.interrupt()).toBe(2)
    run(governor, 200, costs)
    expect(governor.threads).toBe(1)
  })
})
