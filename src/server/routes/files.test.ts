import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DeletedFileSchema, FileListSchema, FileSchema, type WireFile } from '../../shared/files-batches.ts'
import { OpenAiErrorSchema } from '../../shared/openai.ts'
import { createScriptedServer, type ScriptedServer } from '../../../test/fakes/scripted-server.ts'

/** A busy machine may take its time. */
const poll = <T>(check: () => T) => expect.poll(check, { timeout: 20_000 })

let home: string
const open: ScriptedServer[] = []
let now = Date.UTC(2026, 0, 1)

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bendi-files-'))
})

afterEach(async () => {
  for (const server of open.splice(0)) await server.platform.close()
  await rm(home, { recursive: true, force: true })
})

function start(more: { fileLimit?: number; home?: string } = {}): ScriptedServer {
  const clock = { now: () => now, timer: () => () => {} }
  const server = createScriptedServer({ scripted: { records: { home, clock, ...more } } })
  open.push(server)
  return server
}

function form(content: string, fields: Record<string, string> = { purpose: 'batch' }, name = 'in.jsonl'): FormData {
  const data = new FormData()
  data.set('file', new File([content], name))
  for (const [field, value] of Object.entries(fields)) data.set(field, value)
  return data
}

const post = async (server: ScriptedServer, body: BodyInit, headers?: Record<string, string>): Promise<Response> =>
  server.app.request('/v1/files', { method: 'POST', body, ...(headers ? { headers } : {}) })

async function upload(server: ScriptedServer, ...args: Parameters<typeof form>): Promise<WireFile> {
  const reply = await post(server, form(...args))
  expect(reply.status).toBe(200)
  now += 1000
  return FileSchema.parse(await reply.json())
}

async function errorOf(reply: Response): Promise<{ status: number; code: string | null; param: string | null }> {
  const { error } = OpenAiErrorSchema.parse(await reply.json())
  return { status: reply.status, code: error.code, param: error.param }
}

const remove = async (server: ScriptedServer, id: string): Promise<Response> => server.app.request(`/v1/files/${id}`, { method: 'DELETE' })
const list = async (server: ScriptedServer, query: string) => FileListSchema.parse(await (await server.get(`/v1/files${query}`)).json())

test('a file is kept as it was, across a restart, and deleted with its content', async () => {
  const content = '天气 \u0000\r\n'.repeat(50_000)
  const before = start()
  const file = await upload(before, content)
  expect(file).toMatchObject({ filename: 'in.jsonl', purpose: 'batch', bytes: Buffer.byteLength(content), status: 'processed' })
  await before.platform.close()
  const server = start()
  expect(FileSchema.parse(await (await server.get(`/v1/files/${file.id}`)).json())).toEqual(file)
  const reply = await server.get(`/v1/files/${file.id}/content`)
  expect(reply.headers.get('content-disposition')).toMatch(/^attachment/)
  expect(await reply.text()).toBe(content)
  expect(DeletedFileSchema.parse(await (await remove(server, file.id)).json()).id).toBe(file.id)
  for (const gone of [
    await server.get(`/v1/files/${file.id}`),
    await server.get(`/v1/files/${file.id}/content`),
    await remove(server, file.id),
  ]) {
    expect(await errorOf(gone)).toEqual({ status: 404, code: 'stored_file_not_found', param: 'file_id' })
  }
  expect(await readdir(path.join(home, 'files'))).toEqual([])
})

test('lists are cut into pages, in both orders, by purpose', async () => {
  const server = start()
  const ids: string[] = []
  for (const purpose of ['batch', 'user_data', 'batch']) ids.push((await upload(server, purpose, { purpose })).id)
  expect(await list(server, '')).toMatchObject({ first_id: ids[2], last_id: ids[0], has_more: false })
  expect(await list(server, '?limit=2&order=asc')).toMatchObject({ first_id: ids[0], last_id: ids[1], has_more: true })
  expect(await list(server, `?limit=2&order=asc&after=${ids[1]}`)).toMatchObject({ first_id: ids[2], has_more: false })
  expect((await list(server, '?purpose=batch')).data.map(({ id }) => id)).toEqual([ids[2], ids[0]])
  expect((await list(server, '?after=file-nothing')).data).toEqual([])
  for (const query of ['?limit=0', '?limit=x', '?order=up']) expect((await errorOf(await server.get(`/v1/files${query}`))).status).toBe(400)
})

test('one that expires is gone then, and its content at the next start', async () => {
  const before = start()
  const fields = { purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '3600' }
  const file = await upload(before, 'x', fields)
  expect(file.expires_at).toBe(file.created_at + 3600)
  now += 3600 * 1000
  expect((await before.get(`/v1/files/${file.id}`)).status).toBe(404)
  expect((await list(before, '')).data).toEqual([])
  await before.platform.close()
  await writeFile(path.join(home, 'files', 'file-0123.part'), 'cut off')
  start()
  await poll(async () => readdir(path.join(home, 'files'))).toEqual([])
})

test('a name from outside is only shown', async () => {
  const server = start()
  const file = await upload(server, 'x', { purpose: 'batch' }, '../../etc/pass"wd\u0001.jsonl')
  expect(file.filename).toBe('pass%22wd.jsonl')
  expect(await readdir(path.join(home, 'files'))).toEqual([file.id])
  expect((await stat(path.join(home, 'files', file.id))).mode & 0o077).toBe(0)
  for (const id of ['..%2fbendi.db', '%2e%2e', 'file-']) expect((await server.get(`/v1/files/${id}/content`)).status).toBe(404)
})

test('a name that is too long is cut between two characters', async () => {
  const server = start()
  const file = await upload(server, 'x', { purpose: 'batch' }, `${'a'.repeat(254)}😀😀.txt`)
  expect(file.filename).toBe(`${'a'.repeat(254)}😀`)
  expect((await server.get(`/v1/files/${file.id}/content`)).status).toBe(200)
})

describe('what is no upload', () => {
  test.each<[string, () => FormData, string]>([
    ['without a purpose', () => form('x', {}), 'purpose'],
    ['with an unknown purpose', () => form('x', { purpose: 'fun' }), 'purpose'],
    [
      'with a wrong expiry',
      () => form('x', { purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '1' }),
      'expires_after',
    ],
    ['without a file', () => new FormData(), 'file'],
  ])('%s is refused, and nothing stays', async (_, body, param) => {
    const server = start()
    expect(await errorOf(await post(server, body()))).toMatchObject({ status: 400, param })
    expect(await readdir(path.join(home, 'files')).catch(() => [])).toEqual([])
  })

  test('another content type is told as such, as by every other POST', async () => {
    const reply = await post(start(), '{}', { 'content-type': 'application/json' })
    expect(await errorOf(reply)).toMatchObject({ status: 415, code: 'unsupported_media_type' })
  })

  test('nothing, and a form that breaks off are invalid requests', async () => {
    const server = start()
    const type = 'multipart/form-data; boundary=x'
    const cut = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf'
    for (const [body, headers] of [
      ['', { 'content-type': type }],
      ['garbage', { 'content-type': type }],
      [cut, { 'content-type': type }],
      ['x', { 'content-type': 'multipart/form-data' }],
    ] as const) {
      expect((await errorOf(await post(server, body, headers))).status).toBe(400)
    }
    expect(await readdir(path.join(home, 'files')).catch(() => [])).toEqual([])
  })

  test('too much is stopped on the way', async () => {
    const server = start({ fileLimit: 1000 })
    expect(await errorOf(await post(server, form('x'.repeat(1001))))).toMatchObject({ status: 413, code: 'request_too_large' })
    expect(await readdir(path.join(home, 'files'))).toEqual([])
    expect((await upload(server, 'x'.repeat(1000))).bytes).toBe(1000)
  })

  test('where nothing can be stored, that is the answer', async () => {
    await writeFile(path.join(home, 'blocked'), '')
    const server = start({ home: path.join(home, 'blocked') })
    expect(await errorOf(await post(server, form('x')))).toMatchObject({ status: 507, code: 'store_unavailable' })
    await rm(path.join(home, 'blocked'))
    await upload(server, 'x')
  })
})

test('the content lies in the data folder, readable as it is', async () => {
  const file = await upload(start(), 'abc')
  expect(await readFile(path.join(home, 'files', file.id), 'utf8')).toBe('abc')
})
