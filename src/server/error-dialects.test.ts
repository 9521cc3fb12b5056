import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { AppError } from '../shared/errors.ts'
import { errorDialectOf, type ErrorDialect } from './error-dialects.ts'
import { errorReplyFor } from './error-reply.ts'

test.each([
  ['/v1/chat/completions', 'openai'],
  ['/v1', 'openai'],
  ['/v2/rerank', 'openai'],
  ['/rerank', 'openai'],
  ['/infill', 'openai'],
  ['/api/status', 'bendi'],
  ['/v1beta', 'bendi'],
  ['/reranking', 'bendi'],
])('errors at %s are in the form of %s', (path, name) => {
  expect(errorDialectOf({ path, header: () => undefined }).name).toBe(name)
})

test('a route may choose a form of its own, with the language, the request id and when to come again', async () => {
  const mine: ErrorDialect = { name: 'mine', owns: () => false, body: ({ code }, language, requestId) => ({ code, language, requestId }) }
  const app = new Hono().get('/', (c) => {
    c.header('x-request-id', 'req_7')
    return errorReplyFor(mine)(c, new AppError('queue-full', { waiting: 9, retryAfter: 2.5 }))
  })
  const response = await app.request('/', { headers: { 'accept-language': 'zh' } })
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '3'])
  expect(await response.json()).toEqual({ code: 'queue-full', language: 'zh', requestId: 'req_7' })
})
