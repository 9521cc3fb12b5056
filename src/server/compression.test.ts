import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { answer } from '../../test/fakes/scripted-engine.ts'
import { createScriptedServer } from '../../test/fakes/scripted-server.ts'
import { chooseEncoding } from './static-files.ts'

const PATH = '/v1/chat/completions'
const CHAT = { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] }
const long = 'word '.repeat(1000).trim()

test.each([
  ['gzip', 'gzip, deflate', gunzipSync],
  ['br', 'gzip, deflate, br', brotliDecompressSync],
] as const)('a long reply is made smaller by %s', async (encoding, accepted, expand) => {
  const { post } = createScriptedServer({ script: () => answer(long) })
  const plain = await (await post(PATH, CHAT)).json()
  const response = await post(PATH, CHAT, { 'accept-encoding': accepted, 'x-request-id': 'mine' })
  expect(response.headers.get('content-encoding')).toBe(encoding)
  expect(response.headers.get('vary')).toContain('Accept-Encoding')
  expect(response.headers.get('x-request-id')).toBe('mine')
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(bytes.length).toBe(Number(response.headers.get('content-length')))
  expect(bytes.length).toBeLessThan(long.length / 2)
  expect({ ...(JSON.parse(expand(bytes).toString()) as object), id: '' }).toEqual({ ...(plain as object), id: '' })
})

test('a short reply, a stream and a client that takes no encoding are left alone', async () => {
  const { get, post } = createScriptedServer({ script: () => answer(long) })
  const accepted = { 'accept-encoding': 'gzip, br' }
  const replies = [await get('/health', accepted), await post(PATH, { ...CHAT, stream: true }, accepted), await post(PATH, CHAT)]
  expect(replies.map(({ headers }) => headers.get('content-encoding'))).toEqual([null, null, null])
  expect(await replies[0]?.json()).toEqual({ status: 'ok' })
  expect(await replies[1]?.text()).toContain('[DONE]')
})

test('errors too are readable when they are compressed', async () => {
  const { post } = createScriptedServer({ scripted: { deployed: [] } })
  const response = await post(PATH, { ...CHAT, model: 'x'.repeat(2000) }, { 'accept-encoding': 'gzip' })
  expect([response.status, response.headers.get('content-encoding')]).toEqual([404, 'gzip'])
  expect(JSON.parse(gunzipSync(Buffer.from(await response.arrayBuffer())).toString())).toMatchObject({ error: { code: 'model_not_found' } })
})

test.each([
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['gzip, br', 'br'],
  ['br;q=0.1, gzip;q=0.9', 'gzip'],
  ['br; q=0, gzip', 'gzip'],
  ['*', 'br'],
  ['*;q=0', 'identity'],
  ['*, br;q=0', 'gzip'],
  ['identity, gzip;q=0.5', 'identity'],
  ['identity;q=0, GZIP;Q=0.5', 'gzip'],
  ['gzip;q=nonsense', 'identity'],
  ['zstd, deflate', 'identity'],
] as const)('of "%s" the encoding is %s', (accepted, encoding) => {
  expect(chooseEncoding(accepted)).toBe(encoding)
})
