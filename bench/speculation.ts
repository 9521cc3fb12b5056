import { againstOurselves, type Bench } from './bench.ts'
import { chat, type ChatOptions, decodeSpeed } from './client.ts'

type Question = Omit<ChatOptions, 'tokens'>

interface Case {
  what: string
  target: number
  rounds: number
  question(round: number): Question
  /** What the answer has to be the beginning of; absent = anything. */
  expected?(round: number): string
}

/** A real model, since random weights repeat themselves whatever they are asked. */
export const speculation: Bench = {
  name: 'speculation',
  models: ['smollm2'],
  run: async (context) => {
    const tokens = context.quick ? 24 : 200
    const row = ({ what, target, rounds, question, expected }: Case) =>
      againstOurselves(
        { ...context, rounds },
        [
          { name: 'with', parallel: 1, context: 2048, flags: ['--speculation'] },
          { name: 'without', parallel: 1, context: 2048, flags: ['--no-speculation'] },
        ],
        { speed: { what, unit: 'tokens/s', better: 'higher', target } },
        async (server, round) => {
          const result = await chat(server.base, { ...question(round), tokens })
          if (expected && !expected(round).startsWith(result.text.trim())) throw new Error(`not what was expected: ${result.text}`)
          return { speed: decodeSpeed(result) }
        },
      )
    const { rounds } = context
    return [
      ...(await row({ what: 'speculation, text that repeats its prompt', target: 1.5, rounds, question: repeating, expected: code })),
      ...(await row({ what: 'speculation, text that does not', target: 0.97, rounds: rounds * FREE_ROUNDS, question: free })),
    ]
  },
}

/** A difference of three hundredths is not seen in a few answers of two seconds, of which one takes a fifth longer than another. */
const FREE_ROUNDS = 5

/** As many lines as the small model repeats without a mistake. */
const list = Array.from(
  { length: 12 },
  (_, index) => `  { id: ${index}, name: "item-${index}", price: ${index * 7 + 3}, inStock: ${index % 3 === 0} },`,
)

function code(round: number): string {
  return [`const items${round} = [`, ...list, ']'].join('\n')
}

function repeating(round: number): Question {
  return {
    messages: [
      { role: 'user', content: `Repeat this code exactly, without any comment:\n\n${code(round)}` },
      { role: 'assistant', content: code(round) },
      { role: 'user', content: 'Once more, exactly the same.' },
    ],
  }
}

function free(round: number): Question {
  return {
    messages: [{ role: 'user', content: 'Write a story about a river, a lamp and a stranger.' }],
    temperature: 1.3,
    seed: 100 + round,
  }
}
