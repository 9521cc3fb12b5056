import { againstPeer, type Bench } from './bench.ts'
import { chat, decodeSpeed } from './client.ts'
import { words } from './texts.ts'

/** One user: tokens a second after the first. Without speculation, which has its own benchmark. */
export const decodeOne: Bench = {
  name: 'decode-one',
  run: (context) =>
    againstPeer(
      context,
      { parallel: 1, context: 2048, flags: ['--no-speculation'] },
      { speed: { what: 'decode, 1 user', unit: 'tokens/s', better: 'higher', target: 1 } },
      async (server, round) => {
        const result = await chat(server.base, {
          messages: [{ role: 'user', content: words(20, round) }],
          tokens: context.quick ? 16 : 128,
        })
        return { speed: decodeSpeed(result) }
      },
    ),
}
