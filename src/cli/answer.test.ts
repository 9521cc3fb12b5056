import { expect, it } from 'vitest'
import { statsText } from './answer.ts'
import type { Answer } from './answer.ts'

const stopped: Answer = { text: '你好😀', reasoning: 'hm', reason: 'cancelled', stats: undefined, ttftMs: 1234 }

it('tells of a stopped answer what was seen of it', () => {
  expect(statsText(stopped).en).toBe(
    'First token 1.23 s · stopped after 5 characters; the engine tells speed and tokens only of whole answers',
  )
  expect(statsText(stopped).zh).toContain('在 5 个字符后停止')
  expect(statsText({ ...stopped, text: '', reasoning: '', ttftMs: undefined }).en).toContain('First token – · stopped after 0 characters')
})

it('tells of a whole answer its speed and what came from the cache', () => {
  const stats = { promptTokens: 30, cachedTokens: 24, completionTokens: 11, promptMs: 100, decodeMs: 500, decodeTokens: 10 }
  expect(statsText({ ...stopped, reason: 'stop', stats }).en).toBe(
    'First token 1.23 s · 20.0 tokens/s · prompt 30 tokens (24 cached) · answer 11 tokens',
  )
})
