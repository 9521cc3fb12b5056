import { againstPeer, type Bench } from './bench.ts'
import { chat } from './client.ts'
import { words } from './texts.ts'

/** One user, about 1,000 tokens that nobody has seen: prompt tokens a second until the first token. */
export const prefill: Bench = {
  name: 'prefill',
  run: (context) =>
    againstPeer(
      context,
      { parallel: 1, context: 4096 },
      { speed: { what: 'prefill, 1 user, 1,000 tokens', unit: 'tokens/s', better: 'higher', target: 1 } },
      async (server, round) => {
        const result = await chat(server.base, {
          messages: [{ role: 'user', content: words(context.quick ? 100 : 980, 1000 + round) }],
          tokens: 2,
        })
        return { speed: ((result.promptTokens - result.cachedTokens) / result.firstMs) * 1000 }
      },
    ),
}
