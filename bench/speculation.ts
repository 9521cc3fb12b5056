import { againstOurselves, type Bench } from './bench.ts'
import { chat, type ChatOptions, decodeSpeed } from './client.ts'

/** A real model, since random weights repeat themselves whatever they are asked. */
export const speculation: Bench = {
  name: 'speculation',
  models: ['smollm2'],
  run: async (context) => {
    const tokens = context.quick ? 24 : 200
    const row = (what: string, target: number, rounds: number, options: (round: number) => Omit<ChatOptions, 'tokens'>) =>
      againstOurselves(
        { ...context, rounds },
        [
          { name: 'with', parallel: 1, context: 2048, flags: ['--speculation'] },
          { name: 'without', parallel: 1, context: 2048, flags: ['--no-speculation'] },
        ],
        { speed: { what, unit: 'tokens/s', better: 'higher', target } },
        async (server, round) => ({ speed: decodeSpeed(await chat(server.base, { ...options(round), tokens })) }),
      )
    return [
      ...(await row('speculation, text that repeats its prompt', 1.5, context.rounds, repeating)),
      ...(await row('speculation, text that does not', 0.97, context.rounds * FREE_ROUNDS, free)),
    ]
  },
}

/** A difference of three hundredths is not seen in a few answers of two seconds, of which one takes a fifth longer than another. */
const FREE_ROUNDS = 5

const list = Array.from(
  { length: 24 },
  (_, index) => `  { id: ${index}, name: "item-${index}", price: ${index * 7 + 3}, inStock: ${index % 3 === 0} },`,
)

function repeating(round: number): Omit<ChatOptions, 'tokens'> {
  const code = [`const items${round} = [`, ...list, ']'].join('\n')
  return {
    messages: [
      { role: 'user', content: `Repeat this code exactly, without any comment:\n\n${code}` },
      { role: 'assistant', content: code },
      { role: 'user', content: 'Once more, exactly the same.' },
    ],
  }
}

function free(round: number): Omit<ChatOptions, 'tokens'> {
  return {
    messages: [{ role: 'user', content: 'Write a story about a river, a lamp and a stranger.' }],
    temperature: 1.3,
    seed: 100 + round,
  }
}
