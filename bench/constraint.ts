import { againstOurselves, type Bench } from './bench.ts'
import { chat } from './client.ts'
import { togetherSpeed } from './decode-many.ts'
import { words } from './texts.ts'

const USERS = 8
const HELD = 'JSON Schema'

/** Long enough that no answer ends by itself: random weights fill strings, a real model invents articles. */
const schema = {
  type: 'object',
  properties: {
    articles: {
      type: 'array',
      minItems: 1000,
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          price: { type: 'number' },
          inStock: { type: 'boolean' },
          tags: { type: 'array', items: { type: 'string' } },
        },
        required: ['name', 'price', 'inStock', 'tags'],
        additionalProperties: false,
      },
    },
  },
  required: ['articles'],
  additionalProperties: false,
}

/** What holding 8 answers to a schema costs, speculation on in both. */
export const constraint: Bench = {
  name: 'constraint',
  run: (context) =>
    againstOurselves(
      context,
      [HELD, 'free'].map((name) => ({ name, parallel: USERS, context: 1024, flags: ['--speculation'] })),
      { speed: { what: 'decode, 8 users, answers held to a JSON Schema', unit: 'tokens/s', better: 'higher', target: 0.95 } },
      async (server, round) => {
        const responseFormat = server.name === HELD ? { type: 'json_schema', json_schema: { name: 'articles', schema } } : undefined
        const results = await Promise.all(
          Array.from({ length: USERS }, (_, user) =>
            chat(server.base, {
              messages: [{ role: 'user', content: `List articles of a shop as JSON: ${words(12, 50_000 + round * 100 + user)}` }],
              tokens: context.quick ? 12 : 96,
              temperature: 1,
              seed: round * 100 + user,
              ...(responseFormat && { responseFormat }),
            }),
          ),
        )
        return { speed: togetherSpeed(results) }
      },
    ),
}
