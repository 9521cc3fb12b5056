import { againstPeer, type Bench } from './bench.ts'
import { chat, type ChatResult } from './client.ts'
import type { Server } from './servers.ts'
import { words } from './texts.ts'

/** Users at once with short prompts, or with many own tokens each: tokens a second over all of them while all decode. */
function decodeMany(users: number, promptWords: number): Bench {
  const long = promptWords > 100
  return {
    name: `decode-${users}${long ? '-long' : ''}`,
    run: (context) =>
      againstPeer(
        context,
        { parallel: users, context: long ? 2048 : 512, flags: ['--no-speculation'] },
        {
          speed: {
            what: `decode, ${users} users, ${long ? '1,000 own tokens' : 'short prompts'}`,
            unit: 'tokens/s',
            better: 'higher',
            target: 1,
          },
        },
        async (server, round) => ({
          speed: await throughput(server, round, users, context.quick ? 10 : promptWords, context.quick ? 12 : 64),
        }),
      ),
  }
}

async function throughput(server: Server, round: number, users: number, promptWords: number, tokens: number): Promise<number> {
  const ask = (most: number): Promise<ChatResult[]> =>
    Promise.all(
      Array.from({ length: users }, (_, user) =>
        chat(server.base, { messages: [{ role: 'user', content: words(promptWords, 10_000 + round * 100 + user) }], tokens: most }),
      ),
    )
  // Long prompts are computed before, so that all begin together whatever order a server computes them in: both keep them.
  if (promptWords > 100) await ask(1)
  return togetherSpeed(await ask(tokens))
}

/** Counted from when the last user has a first token, so that no prefill is in it, to when the first user is done. Throws when they never overlap. */
export function togetherSpeed(results: readonly Pick<ChatResult, 'stamps' | 'firstMs' | 'endMs' | 'tokens'>[]): number {
  const from = Math.max(...results.map((result) => result.firstMs))
  const to = Math.min(...results.map((result) => result.endMs))
  if (to <= from) throw new Error('the first user was done before the last had begun: more tokens are needed')
  // Pieces of text may hold several tokens: count each stream's tokens by its share of pieces.
  const tokens = results.map(
    ({ stamps, tokens: all }) => (stamps.filter((stamp) => stamp > from && stamp <= to).length / stamps.length) * all,
  )
  return (tokens.reduce((sum, count) => sum + count, 0) / (to - from)) * 1000
}

export const decode8 = decodeMany(8, 12)
export const decode16 = decodeMany(16, 12)
export const decode8Long = decodeMany(8, 980)
