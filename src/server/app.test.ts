import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createScriptedServer, readMessages } from '../../test/fakes/scripted-server.ts'
import { FindingSchema, ModelSchema, PullSchema, WireErrorSchema } from '../shared/api.ts'
import { OpenAiErrorSchema, OpenAiModelListSchema } from '../shared/openai.ts'
import { routes } from '../shared/routes.ts'
import { z } from 'zod'

const ApiErrorSchema = z.strictObject({ error: WireErrorSchema.extend({ hint: z.string().optional() }) })
const CHAT = { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] }

describe('every reply', () => {
  test("has a request id, the caller's own when it is sane", async () => {
    const { get } = createScriptedServer()
    expect((await get('/health')).headers.get('x-request-id')).toMatch(/^req_\d{32}$/)
    expect((await get('/nowhere', { 'x-request-id': 'mine-1' })).headers.get('x-request-id')).toBe('mine-1')
    expect((await get('/health', { 'x-request-id': 'not sane' })).headers.get('x-request-id')).toMatch(/^req_/)
    expect((await get('/health', { host: 'evil.example' })).headers.get('x-request-id')).toMatch(/^req_/)
  })

  test('forbids guessing its type', async () => {
    const { get, post } = createScriptedServer()
    for (const response of [
      await get('/health'),
      await get('/v1/nothing'),
      await post('/v1/chat/completions', { ...CHAT, stream: true }),
    ]) {
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })
})

describe('errors', () => {
  test("are OpenAI's below /v1 and ours below /api", async () => {
    const { get } = createScriptedServer()
    const openai = await get('/v1/nothing')
    expect(openai.status).toBe(404)
    expect(OpenAiErrorSchema.parse(await openai.json()).error).toMatchObject({
      type: 'invalid_request_error',
      code: 'not_found',
      param: null,
    })
    const ours = await get('/api/nothing')
    expect(ours.status).toBe(404)
    expect(ApiErrorSchema.parse(await ours.json()).error.code).toBe('not-found')
  })

  test('speak the language that was asked for', async () => {
    const { get } = createScriptedServer()
    const message = async (language: string): Promise<string> => {
      const response = await get('/api/models/nothing', { 'accept-language': language })
      return ApiErrorSchema.parse(await response.json()).error.message
    }
    expect(await message('zh-CN,zh;q=0.9,en;q=0.8')).toContain('这里没有模型')
    expect(await message('en-GB,zh;q=0.5')).toContain('does not exist here')
    expect(await message('fr, *')).toContain('does not exist here')
  })

  test('name the methods that a path does answer', async () => {
    const { app, get } = createScriptedServer()
    const response = await get('/v1/chat/completions')
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST')
    expect(OpenAiErrorSchema.parse(await response.json()).error.code).toBe('method_not_allowed')
    const other = await app.request('/api/models/hf%3Aorg%2Fother', { method: 'PUT' })
    expect(other.status).toBe(405)
    expect(other.headers.get('allow')).toBe('GET, DELETE')
  })

  test('tell what is wrong with a body', async () => {
    const { post } = createScriptedServer({ bodyLimit: 1000 })
    const problem = async (body: string, headers?: Record<string, string>): Promise<[number, string]> => {
      const response = await post('/v1/chat/completions', body, headers)
      return [response.status, OpenAiErrorSchema.parse(await response.json()).error.message]
    }
    expect(await problem('{"model": ')).toEqual([400, expect.stringContaining('not JSON')])
    expect(await problem('')).toEqual([400, expect.stringContaining('empty')])
    expect(await problem('[]')).toEqual([400, expect.stringContaining('must be a JSON object')])
    expect(await problem('{}', { 'content-type': 'text/plain' })).toEqual([415, expect.stringContaining('application/json')])
    expect(await problem(JSON.stringify({ ...CHAT, user: 'x'.repeat(1000) }))).toEqual([413, expect.stringContaining('1000 bytes')])
    expect(await problem('{}', { 'content-length': '100000' })).toEqual([413, expect.stringContaining('1000 bytes')])
  })

  test('refuse bytes that are not UTF-8, whether their number is announced or not', async () => {
    const { app } = createScriptedServer()
    const body = Buffer.concat([
      Buffer.from('{"model":"scripted","messages":[{"role":"user","content":"'),
      Buffer.from([0xff]),
      Buffer.from('"}]}'),
    ])
    const announced: Record<string, string> = { 'content-length': String(body.length) }
    for (const length of [{}, announced]) {
      const headers = { 'content-type': 'application/json', ...length }
      const response = await app.request('/v1/chat/completions', { method: 'POST', body, headers })
      expect(response.status).toBe(400)
      expect(OpenAiErrorSchema.parse(await response.json()).error.message).toContain('not UTF-8')
    }
  })

  test('of ours are logged with their cause, and do not show it as anything but internal', async () => {
    const { platform, app, log } = createScriptedServer()
    platform.models.list = async () => {
      throw new Error('disk on fire')
    }
    const response = await app.request('/api/models')
    expect(response.status).toBe(500)
    expect(ApiErrorSchema.parse(await response.json()).error.code).toBe('internal')
    expect(log.find(({ level }) => level === 'error')?.fields['error']).toBeInstanceOf(Error)
  })

  test('that will pass say when to try again', async () => {
    const { get } = createScriptedServer({ scripted: { deployed: [] } })
    const response = await get('/ready')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  })
})

describe('other web pages', () => {
  test('are refused, by Origin and by a Host that is not ours', async () => {
    const { post, engine } = createScriptedServer()
    for (const [name, value] of [
      ['origin', 'http://evil.example'],
      ['host', 'evil.example'],
      ['sec-fetch-site', 'cross-site'],
    ] as const) {
      const response = await post('/v1/chat/completions', CHAT, { [name]: value })
      expect(response.status).toBe(403)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(OpenAiErrorSchema.parse(await response.json()).error.type).toBe('permission_error')
    }
    expect(engine.requests).toHaveLength(0)
  })

  test('that are allowed may ask first, call, and read errors too', async () => {
    const { app, post } = createScriptedServer({ corsOrigins: ['http://app.example'] })
    const headers = { origin: 'http://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-mine' }
    const preflight = await app.request('/v1/chat/completions', { method: 'OPTIONS', headers })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('http://app.example')
    expect(preflight.headers.get('access-control-allow-headers')).toBe('x-mine')
    for (const body of [CHAT, {}]) {
      const response = await post('/v1/chat/completions', body, { origin: 'http://app.example' })
      expect(response.headers.get('access-control-allow-origin')).toBe('http://app.example')
      expect(response.headers.get('vary')).toContain('Origin')
    }
    const stranger = await app.request('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: { ...headers, origin: 'http://evil.example' },
    })
    expect(stranger.status).toBe(403)
  })
})

describe("bendi's own API", () => {
  test.each(Object.entries(routes).filter(([, route]) => route.method === 'GET' && !route.path.includes(':')))(
    '%s is what the table says',
    async (_, route) => {
      const { get } = createScriptedServer()
      const response = await get(route.path)
      expect(response.status).toBe(200)
      const body: unknown = await response.json()
      if (!('response' in route)) throw new Error('a GET without parameters has a response')
      expect(route.response.parse(body)).toEqual(body)
    },
  )

  test('findings are a list', async () => {
    const { get } = createScriptedServer()
    expect(z.array(FindingSchema).parse(await (await get('/api/doctor')).json())).toHaveLength(1)
  })

  test('a model whose name holds a slash can be shown and removed', async () => {
    const { app, get } = createScriptedServer()
    const path = `/api/models/${encodeURIComponent('hf:org/other')}`
    expect(ModelSchema.parse(await (await get(path)).json()).name).toBe('hf:org/other')
    expect((await app.request(path, { method: 'DELETE' })).status).toBe(200)
    expect((await get(path)).status).toBe(404)
    const busy = await app.request('/api/models/scripted', { method: 'DELETE' })
    expect([busy.status, ApiErrorSchema.parse(await busy.json()).error.code]).toEqual([409, 'model-in-use'])
  })

  test('a pull is started, watched to its end, and cancelled', async () => {
    const { app, get, post } = createScriptedServer()
    const pull = PullSchema.parse(await (await post('/api/pulls', { reference: 'hf:org/repo' })).json())
    const messages = await readMessages(await get(`/api/pulls/${pull.id}/events`))
    const states = messages.map(({ data }) => PullSchema.parse(JSON.parse(data ?? '')).state)
    expect(states.at(-1)).toBe('done')
    expect((await get('/api/pulls/nothing/events')).status).toBe(404)
    const cancelled = await app.request(`/api/pulls/${pull.id}`, { method: 'DELETE' })
    expect(PullSchema.parse(await cancelled.json()).state).toBe('cancelled')
  })

  test('refuses a body that the table does not know', async () => {
    const { post } = createScriptedServer()
    const response = await post('/api/deployments', { model: 'scripted', contxt: 1 })
    expect(response.status).toBe(400)
    expect(ApiErrorSchema.parse(await response.json()).error.message).toContain('contxt')
  })

  test('starts and stops a deployment', async () => {
    const { app, post } = createScriptedServer()
    const started = await post('/api/deployments', { model: 'hf:org/other' })
    expect(await started.json()).toMatchObject({ model: 'hf:org/other', state: 'ready' })
    const stopped = await app.request('/api/deployments/hf%3Aorg%2Fother', { method: 'DELETE' })
    expect(await stopped.json()).toMatchObject({ model: 'hf:org/other', state: 'stopped' })
  })
})

test('the models of the OpenAI API are those that a request may name', async () => {
  const { get } = createScriptedServer()
  const { data } = OpenAiModelListSchema.parse(await (await get('/v1/models')).json())
  expect(data.map(({ id }) => id)).toEqual(['scripted', 'hf:org/other'])
  expect((await get('/v1/models/hf:org/other')).status).toBe(200)
  expect((await get('/v1/models/hf%3Aorg%2Fother')).status).toBe(200)
  expect(await (await get('/v1/models/default')).json()).toMatchObject({ id: 'scripted' })
  expect((await get('/v1/models/nothing')).status).toBe(404)
})

test('HEAD does no work that nobody would read', async () => {
  const { app, engine } = createScriptedServer()
  const response = await app.request('/stream-generate?prompt=hi', { method: 'HEAD' })
  expect(response.status).toBe(405)
  expect(engine.requests).toHaveLength(0)
})

test('no path, method, header or body makes the server fail', async () => {
  const { app } = createScriptedServer()
  const paths = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/generate', '/api/pulls', '/api/deployments']
  const request = fc.record({
    path: fc.oneof(
      fc.constantFrom(...paths),
      fc.webPath().map((path) => `/${path}`),
    ),
    method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'OPTIONS', 'HEAD'),
    body: fc.oneof(
      fc.json(),
      fc.string(),
      fc.json().map((json) => `{"model":"scripted","messages":${json},"prompt":${json},"input":${json}}`),
    ),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ path, method, body }) => {
      const withBody = method === 'GET' || method === 'HEAD' ? {} : { body, headers: { 'content-type': 'application/json' } }
      const response = await app.request(path, { method, ...withBody })
      // 503: the page has not been built here.
      expect(response.status === 503 ? 0 : response.status).toBeLessThan(500)
      await response.body?.cancel()
    }),
    { numRuns: 1000 },
  )
})
