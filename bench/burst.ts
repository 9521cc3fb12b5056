import { againstPeer, type Bench } from './bench.ts'
import { chat } from './client.ts'
import { median } from './statistics.ts'
import { words } from './texts.ts'

/** Eight users arrive at once with the same new 600-word system prompt and 20 words of their own (as shared/tools/load.mjs does). */
export const burst: Bench = {
  name: 'burst',
  run: (context) => {
    const [users, shared, tokens] = context.quick ? [4, 60, 4] : [8, 600, 32]
    return againstPeer(
      context,
      { parallel: 8, context: 2048 },
      {
        wall: { what: `cold burst, ${users} users, ${shared} shared words: wall`, unit: 's', better: 'lower', target: 1 / 3 },
        first: { what: '… time to first token, p50', unit: 's', better: 'lower', target: 1 / 4 },
      },
      async (server, round) => {
        const system = words(shared, 20_000 + round)
        const start = performance.now()
        const results = await Promise.all(
          Array.from({ length: users }, (_, user) =>
            chat(server.base, {
              messages: [
                { role: 'system', content: system },
                { role: 'user', content: words(20, 21_000 + round * 100 + user) },
              ],
              tokens,
            }),
          ),
        )
        return { wall: (performance.now() - start) / 1000, first: median(results.map((result) => result.firstMs)) / 1000 }
      },
    )
  },
}
