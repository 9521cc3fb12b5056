import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { deferred } from '../../base/async.ts'
import { createLogger, type LogEntry } from '../../base/logger.ts'
import { AppError, toWireError } from '../../shared/errors.ts'
import {
  BatchListSchema,
  BatchOutputLineSchema,
  BatchSchema,
  FileSchema,
  type Batch,
  type BatchOutputLine,
} from '../../shared/files-batches.ts'
import type { GenerateEvent, GenerateRequest } from '../../shared/generate.ts'
import { ChatCompletionSchema, OpenAiErrorSchema } from '../../shared/openai.ts'
import { ResponseSchema } from '../../shared/responses.ts'
import { ManualClock } from '../../../test/fakes/manual-clock.ts'
import { answer, finish, type Script } from '../../../test/fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServer } from '../../../test/fakes/scripted-server.ts'
import type { RecordsOptions } from '../../platform/records.ts'

/** A busy machine may take its time. */
const poll = <T>(check: () => T) => expect.poll(check, { timeout: 20_000 })

let home: string
const open: ScriptedServer[] = []

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bendi-batches-'))
})

afterEach(async () => {
  for (const server of open.splice(0)) await server.platform.close()
  await rm(home, { recursive: true, force: true })
})

function start(script?: Script, records: Partial<RecordsOptions> = {}): ScriptedServer {
  const server = createScriptedServer({ ...(script ? { script } : {}), scripted: { records: { home, ...records } } })
  open.push(server)
  return server
}

const textOf = ({ prompt }: GenerateRequest): string => (prompt.type === 'messages' ? (prompt.messages.at(-1)?.content ?? '') : '')
const chatLine = (id: string, more: object = {}): object => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'scripted', messages: [{ role: 'user', content: id }], ...more },
})
const jsonl = (lines: readonly unknown[]): string =>
  lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')

async function upload(server: ScriptedServer, content: string | Uint8Array<ArrayBuffer>, purpose = 'batch'): Promise<string> {
  const form = new FormData()
  form.set('file', new File([content], 'in.jsonl'))
  form.set('purpose', purpose)
  return FileSchema.parse(await (await server.app.request('/v1/files', { method: 'POST', body: form })).json()).id
}

async function create(server: ScriptedServer, content: string | Uint8Array<ArrayBuffer>, more: object = {}): Promise<Batch> {
  const body = { input_file_id: await upload(server, content), endpoint: '/v1/chat/completions', completion_window: '24h', ...more }
  const reply = await server.post('/v1/batches', body)
  expect(reply.status).toBe(200)
  return BatchSchema.parse(await reply.json())
}

const retrieve = async (server: ScriptedServer, id: string): Promise<Batch> =>
  BatchSchema.parse(await (await server.get(`/v1/batches/${id}`)).json())

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'expired'])

async function ended(server: ScriptedServer, id: string): Promise<Batch> {
  await poll(async () => ENDED.has((await retrieve(server, id)).status)).toBe(true)
  return retrieve(server, id)
}

async function linesOf(server: ScriptedServer, file: string | undefined): Promise<BatchOutputLine[]> {
  if (file === undefined) return []
  const text = await (await server.get(`/v1/files/${file}/content`)).text()
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => BatchOutputLineSchema.parse(JSON.parse(line)))
}

const tooLong: GenerateEvent = { type: 'error', error: toWireError(new AppError('prompt-too-long', { needed: 9, window: 4, possible: 8 })) }

describe('a batch', () => {
  test('answers every line; what fails is in a file of its own', async () => {
    const server = start((request) => (textOf(request) === 'b' ? [tooLong] : answer(`answer ${textOf(request)}`)))
    const lines = [chatLine('a'), chatLine('b'), '', chatLine('c'), chatLine('d', { temperature: 9 })]
    const begun = await create(server, `\uFEFF${jsonl(lines)}\r\n`, { metadata: { for: 'test' } })
    expect(begun).toMatchObject({ status: 'validating', request_counts: { total: 0, completed: 0, failed: 0 }, metadata: { for: 'test' } })
    const batch = await ended(server, begun.id)
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 4, completed: 2, failed: 2 }, usage: { input_tokens: 24 } })
    const good = await linesOf(server, batch.output_file_id)
    expect(good.map(({ custom_id: id }) => id)).toEqual(['a', 'c'])
    const [first] = good
    expect(first?.response).toMatchObject({ status_code: 200, request_id: expect.stringMatching(/^req_/) as string })
    expect(ChatCompletionSchema.parse(first?.response?.body).choices[0]?.message.content).toBe('answer a')
    const bad = await linesOf(server, batch.error_file_id)
    expect(bad.map(({ custom_id: id, response }) => [id, response?.status_code])).toEqual([
      ['b', 400],
      ['d', 400],
    ])
    const output = FileSchema.parse(await (await server.get(`/v1/files/${batch.output_file_id}`)).json())
    expect(output).toMatchObject({ purpose: 'batch_output', filename: `${batch.id}_output.jsonl` })
  })

  test.each([
    ['/v1/completions', { model: 'scripted', prompt: 'x' }],
    ['/v1/embeddings', { model: 'scripted', input: 'x' }],
    ['/v1/responses', { model: 'scripted', input: 'x' }],
  ])('runs %s', async (url, body) => {
    const server = start()
    const { id } = await create(server, jsonl([{ custom_id: 'a', method: 'POST', url, body }]), { endpoint: url })
    const batch = await ended(server, id)
    expect(batch.request_counts).toEqual({ total: 1, completed: 1, failed: 0 })
    const [line] = await linesOf(server, batch.output_file_id)
    if (url === '/v1/responses') {
      const response = ResponseSchema.parse(line?.response?.body)
      expect((await server.get(`/v1/responses/${response.id}`)).status).toBe(200)
    }
  })

  test('whose file is wrong fails with the numbers of its lines, and runs nothing', async () => {
    const server = start()
    const lines = [
      chatLine('a'),
      '{"custom_id": ',
      chatLine('a'),
      { ...chatLine('c'), method: 'GET' },
      { ...chatLine('d'), url: '/v1/embeddings' },
      chatLine('e', { stream: true }),
      { ...chatLine('f'), body: {} },
      { ...chatLine('g'), custom_id: 7 },
    ]
    const batch = await ended(server, (await create(server, jsonl(lines))).id)
    expect(batch.status).toBe('failed')
    expect(batch.errors?.data.map(({ line, code, param }) => [line, code, param])).toEqual([
      [2, 'invalid_json_line', null],
      [3, 'duplicate_custom_id', 'custom_id'],
      [4, 'invalid_method', 'method'],
      [5, 'mismatched_endpoint', 'url'],
      [6, 'invalid_request', 'body.stream'],
      [7, 'invalid_request', 'body.model'],
      [8, 'invalid_request', 'custom_id'],
    ])
    expect(server.engine.requests).toEqual([])
    const background = { custom_id: 'a', method: 'POST', url: '/v1/responses', body: { model: 'scripted', input: 'x', background: true } }
    const second = await ended(server, (await create(server, jsonl([background]), { endpoint: '/v1/responses' })).id)
    expect(second.errors?.data).toMatchObject([{ line: 1, param: 'body.background' }])
    const empty = await ended(server, (await create(server, '\n\n')).id)
    expect(empty.errors?.data).toMatchObject([{ code: 'empty_file', line: null }])
  })

  test('whose file is not UTF-8 fails: other words would be asked than were written', async () => {
    const server = start()
    const [before, after] = jsonl([chatLine('a'), chatLine('HERE')]).split('HERE', 2)
    // 你好 in GBK, as editors on Chinese Windows write it.
    const content = Buffer.concat([Buffer.from(`${before}`), Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), Buffer.from(`${after}`)])
    const batch = await ended(server, (await create(server, content)).id)
    expect(batch.errors?.data).toMatchObject([{ line: 2, code: 'invalid_json_line', message: 'the line is not UTF-8' }])
    expect(server.engine.requests).toEqual([])
  })

  test('whose file has vanished from the data folder fails', async () => {
    const server = start()
    const id = await upload(server, jsonl([chatLine('a')]))
    await rm(path.join(home, 'files', id))
    const made = await server.post('/v1/batches', { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' })
    const batch = await ended(server, BatchSchema.parse(await made.json()).id)
    expect(batch).toMatchObject({ status: 'failed', errors: { data: [{ code: 'file_not_found', param: 'input_file_id' }] } })
  })

  test('that could not be stored for a while goes on without a restart', async () => {
    const [clock, gate, log] = [new ManualClock(), deferred<void>(), new Array<LogEntry>()]
    const logger = createLogger({ level: 'error', sink: (entry) => log.push(entry) })
    const server = start(() => [gate.promise, ...answer('x')], { clock, logger })
    const { id } = await create(server, jsonl([chatLine('a')]))
    await poll(() => server.engine.live).toBe(1)
    await rename(path.join(home, 'files'), path.join(home, 'kept'))
    await writeFile(path.join(home, 'files'), 'no folder')
    gate.resolve()
    await poll(() => log.length).toBe(1)
    expect((await retrieve(server, id)).status).toBe('finalizing')
    await rm(path.join(home, 'files'))
    await rename(path.join(home, 'kept'), path.join(home, 'files'))
    clock.advance(30_000)
    expect(await ended(server, id)).toMatchObject({ status: 'completed', request_counts: { completed: 1 } })
    expect(server.engine.requests).toHaveLength(1)
  })

  test('writes results that are longer than an upload may be', async () => {
    const server = start(() => answer('long '.repeat(400)), { fileLimit: 1000 })
    const batch = await ended(server, (await create(server, jsonl([chatLine('a')]))).id)
    expect(batch).toMatchObject({ status: 'completed', request_counts: { completed: 1 } })
    expect(await linesOf(server, batch.output_file_id)).toHaveLength(1)
  })

  test('runs few lines at a time, and batches take turns', async () => {
    let most = 0
    let running = 0
    const gate = deferred<void>()
    const seen: string[] = []
    const server = start(
      function* (request) {
        running += 1
        most = Math.max(most, running)
        seen.push(textOf(request))
        yield gate.promise
        running -= 1
        yield* answer('x')
      },
      { batchParallel: 3 },
    )
    const first = await create(server, jsonl(Array.from({ length: 60 }, (_, index) => chatLine(`a${index}`))))
    const second = await create(server, jsonl(Array.from({ length: 5 }, (_, index) => chatLine(`b${index}`))))
    await poll(() => running).toBe(3)
    gate.resolve()
    await ended(server, first.id)
    await ended(server, second.id)
    expect(most).toBe(3)
    expect(seen).toHaveLength(65)
    expect(seen.indexOf('b4')).toBeLessThan(seen.indexOf('a59'))
  })

  test('gives way while somebody waits, though not for ever', async () => {
    const clock = new ManualClock()
    let busy = true
    const server = start(undefined, { clock, load: async () => (busy ? 'waiting' : 'free'), batchParallel: 1 })
    const { id } = await create(server, jsonl([chatLine('a'), chatLine('b')]))
    await poll(async () => (await retrieve(server, id)).status).toBe('in_progress')
    clock.advance(10_000)
    expect(server.engine.requests).toHaveLength(0)
    await poll(() => {
      clock.advance(5000)
      return server.engine.requests.length
    }).toBe(1)
    busy = false
    await poll(async () => {
      clock.advance(500)
      return (await retrieve(server, id)).status
    }).toBe('completed')
  })

  test('tries again what another moment may mend', async () => {
    const clock = new ManualClock()
    let left = 3
    const full: GenerateEvent = { type: 'error', error: toWireError(new AppError('queue-full', { model: 'm', waiting: 1 })) }
    const server = start(() => (left-- > 0 ? [full] : answer('x')), { clock })
    const { id } = await create(server, jsonl([chatLine('a')]))
    await poll(async () => {
      clock.advance(20_000)
      return (await retrieve(server, id)).status
    }).toBe('completed')
    expect((await retrieve(server, id)).request_counts).toEqual({ total: 1, completed: 1, failed: 0 })
    expect(server.engine.requests).toHaveLength(4)
  })

  test('can be cancelled: what was done stays, the rest is told as not run', async () => {
    const server = start((request) => (textOf(request) === 'a' ? answer('x') : [new Promise(() => {})]), { batchParallel: 1 })
    const { id } = await create(server, jsonl([chatLine('a'), chatLine('b'), chatLine('c')]))
    await poll(async () => (await retrieve(server, id)).request_counts.completed).toBe(1)
    await poll(() => server.engine.live).toBe(1)
    expect(BatchSchema.parse(await (await server.post(`/v1/batches/${id}/cancel`, {})).json()).status).toBe('cancelling')
    const batch = await ended(server, id)
    expect(batch).toMatchObject({ status: 'cancelled', request_counts: { total: 3, completed: 1, failed: 0 } })
    expect((await linesOf(server, batch.output_file_id)).map((line) => line.custom_id)).toEqual(['a'])
    expect((await linesOf(server, batch.error_file_id)).map(({ custom_id: one, error }) => [one, error?.code])).toEqual([
      ['b', 'batch_cancelled'],
      ['c', 'batch_cancelled'],
    ])
    expect(server.engine.live).toBe(0)
    expect((await server.post(`/v1/batches/${id}/cancel`, {})).status).toBe(200)
  })

  test('ends when its window does', async () => {
    const clock = new ManualClock()
    const server = start(() => [new Promise(() => {})], { clock })
    const { id } = await create(server, jsonl([chatLine('a')]))
    await poll(() => server.engine.live).toBe(1)
    clock.advance(24 * 3600 * 1000)
    const batch = await ended(server, id)
    expect(batch.status).toBe('expired')
    expect(await linesOf(server, batch.error_file_id)).toMatchObject([{ custom_id: 'a', error: { code: 'batch_expired' } }])
  })

  test('goes on after a restart where it was, and runs no line twice', async () => {
    const lines = Array.from({ length: 6 }, (_, index) => chatLine(`l${index}`))
    const seen: string[] = []
    const before = start(
      (request) => {
        seen.push(textOf(request))
        return seen.length > 3 ? [new Promise(() => {})] : answer('x')
      },
      { batchParallel: 1 },
    )
    const { id } = await create(before, jsonl(lines))
    await poll(() => seen.length).toBe(4)
    await before.platform.close()
    const after = start(
      (request) => {
        seen.push(textOf(request))
        return answer('x')
      },
      { batchParallel: 1 },
    )
    const batch = await ended(after, id)
    expect(batch.request_counts).toEqual({ total: 6, completed: 6, failed: 0 })
    // The fourth was under way when the server stopped.
    expect(seen).toEqual(['l0', 'l1', 'l2', 'l3', 'l3', 'l4', 'l5'])
    expect((await linesOf(after, batch.output_file_id)).map((line) => line.custom_id)).toEqual(['l0', 'l1', 'l2', 'l3', 'l4', 'l5'])
  })

  test('reads a file that cannot be deleted meanwhile', async () => {
    const gate = deferred<void>()
    const server = start(() => [gate.promise, finish()])
    const batch = await create(server, jsonl([chatLine('a')]))
    const remove = async (): Promise<number> => (await server.app.request(`/v1/files/${batch.input_file_id}`, { method: 'DELETE' })).status
    expect(await remove()).toBe(409)
    gate.resolve()
    await ended(server, batch.id)
    expect(await remove()).toBe(200)
  })
})

test('lines run in the background, other requests do not', async () => {
  const seen = new Map<string, boolean | undefined>()
  const server = start((request) => {
    seen.set(textOf(request), request.background)
    return answer('yes')
  })
  await ended(server, (await create(server, jsonl([chatLine('line')]))).id)
  await (await server.post('/v1/chat/completions', { model: 'scripted', messages: [{ role: 'user', content: 'somebody' }] })).json()
  expect([...seen]).toEqual([
    ['line', true],
    ['somebody', undefined],
  ])
})

test('lists come in pages, the newest first', async () => {
  let now = Date.UTC(2026, 0, 1)
  const server = start(undefined, { clock: { now: () => (now += 1000), timer: () => () => {} } })
  const ids: string[] = []
  for (let index = 0; index < 3; index++) ids.unshift((await create(server, jsonl([chatLine('a')]))).id)
  const page = async (query: string) => BatchListSchema.parse(await (await server.get(`/v1/batches${query}`)).json())
  expect(await page('?limit=2')).toMatchObject({ first_id: ids[0], last_id: ids[1], has_more: true })
  expect(await page(`?limit=2&after=${ids[1]}`)).toMatchObject({ first_id: ids[2], has_more: false })
  for (const id of ids) await ended(server, id)
})

test.each([
  [{ endpoint: '/v1/images' }, 'endpoint', 400],
  [{ completion_window: '1h' }, 'completion_window', 400],
  [{ input_file_id: 'file-nothing' }, 'input_file_id', 404],
  [{ output_expires_after: { anchor: 'created_at', seconds: 1 } }, 'output_expires_after.seconds', 400],
])('%j is refused by name', async (more, param, status) => {
  const server = start()
  const file = await upload(server, 'x')
  const reply = await server.post('/v1/batches', { input_file_id: file, endpoint: '/v1/embeddings', completion_window: '24h', ...more })
  expect(reply.status).toBe(status)
  expect(OpenAiErrorSchema.parse(await reply.json()).error.param).toBe(param)
})

test('a file for another purpose, and an unknown batch, are refused', async () => {
  const server = start()
  const file = await upload(server, 'x', 'user_data')
  expect((await server.post('/v1/batches', { input_file_id: file, endpoint: '/v1/embeddings', completion_window: '24h' })).status).toBe(400)
  expect((await server.get('/v1/batches/batch_nothing')).status).toBe(404)
  expect((await server.post('/v1/batches/batch_nothing/cancel', {})).status).toBe(404)
})

test('the lines of a batch that has ended leave the store', async () => {
  const server = start()
  const { id } = await create(server, jsonl([chatLine('a-line-to-be-forgotten')]))
  await ended(server, id)
  await server.platform.close()
  expect((await readFile(path.join(home, 'bendi.db'))).includes('"batch_req_')).toBe(false)
})
