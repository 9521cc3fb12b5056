import { expect, test } from 'vitest'
import { ollamaLogprob } from './ollama-reply.ts'

test('a token that cannot come has the lowest number there is: null would not be one', () => {
  const never = { token: 'a', bytes: [97], logprob: Number.NEGATIVE_INFINITY }
  const least = { token: 'a', bytes: [97], logprob: -9999 }
  expect(JSON.parse(JSON.stringify(ollamaLogprob({ ...never, top: [never] })))).toEqual({ ...least, top_logprobs: [least] })
})
