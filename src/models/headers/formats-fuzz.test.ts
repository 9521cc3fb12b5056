import { expect, it, vi } from 'vitest'
import { fuzzTargets, mutate, randomFrom, tryParse } from '../../../test/fixtures/format-mutations.ts'

const EACH = 1500
vi.setConfig({ testTimeout: 60_000 })

it.each(fuzzTargets().map((target) => [target.name, target] as const))(
  'a %s file that is damaged at random is read or refused, never hangs and never throws anything else',
  async (_name, target) => {
    expect(await tryParse(target, target.seed)).toBe('read')
    const random = randomFrom(7)
    let refused = 0
    for (let round = 0; round < EACH; round += 1) {
      const data = mutate(target.seed, random)
      const outcome = await tryParse(target, data).catch((error: unknown) => {
        throw new Error(`mutation ${round} (${data.length} bytes): ${data.toString('base64').slice(0, 2000)}`, { cause: error })
      })
      if (outcome === 'refused') refused += 1
    }
    // Damage is noticed, where a format can notice it.
    expect(refused).toBeGreaterThan(EACH / 20)
  },
)
