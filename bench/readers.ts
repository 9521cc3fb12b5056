/** Streams for several users at once: `readers.ts BASE USERS TOKENS`. A process of its own, so that its work is not counted as the server's. */
import { chat } from './client.ts'

const [base = '', users = '1', tokens = '1'] = process.argv.slice(2)
await Promise.all(
  Array.from({ length: Number(users) }, (_, user) =>
    chat(base, { messages: [{ role: 'user', content: `user ${user}` }], tokens: Number(tokens) }),
  ),
)
