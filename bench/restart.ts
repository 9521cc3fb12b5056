import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Bench, BenchContext } from './bench.ts'
import { chat } from './client.ts'
import { compareMedians } from './compare.ts'
import { startBendi } from './servers.ts'
import { median } from './statistics.ts'
import { words } from './texts.ts'

/** A known 600-word system prompt after the server was stopped and started again, against the same request when it was new. */
export const restart: Bench = {
  name: 'restart',
  run: async (context) => {
    const rounds: { cold: number; known: number }[] = []
    for (let round = 1; round <= context.rounds; round++) rounds.push(await once(context, round))
    const metric = {
      what: 'first token after a restart, known 600-word system prompt',
      unit: 'ms',
      better: 'lower' as const,
      target: 1 / 5,
    }
    const medians = (name: 'cold' | 'known'): number => median(rounds.map((result) => result[name]))
    return [
      compareMedians(metric, [
        ['bendi', medians('known')],
        ['bendi cold', medians('cold')],
      ]),
    ]
  },
}

async function once({ file, threads, quick }: BenchContext, round: number): Promise<{ cold: number; known: number }> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'bendi-bench-home-'))
  const system = words(quick ? 100 : 600, 40_000 + round)
  const ask = async (question: string, sameSystem: boolean): Promise<number> => {
    const server = await startBendi({ file, threads, parallel: 2, context: 4096, home })
    try {
      // Another text first, so that both times are those of a warmed-up process.
      await chat(server.base, { messages: [{ role: 'user', content: words(10, 41_000 + round) }], tokens: 2 })
      const messages = [
        { role: 'system' as const, content: sameSystem ? system : '' },
        { role: 'user' as const, content: question },
      ]
      return (await chat(server.base, { messages, tokens: 4 })).firstMs
    } finally {
      await server.stop()
    }
  }
  try {
    const cold = await ask('What is the first word?', true)
    return { cold, known: await ask('And the second?', true) }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
