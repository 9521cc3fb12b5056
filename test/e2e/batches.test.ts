/** The official OpenAI client's files and batches against listening servers with a scripted engine; one of them is killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import OpenAI, { toFile } from 'openai'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** A busy machine may take its time. */
const poll = <T>(check: () => T) => expect.poll(check, { timeout: 20_000 })

let home: string
const children: ChildProcess[] = []

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bendi-e2e-batches-'))
})

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  await rm(home, { recursive: true, force: true })
})

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** Writes down every line that it is asked to run; after `holdAfter` of them it answers no more. */
const serverSource = (holdAfter: number): string => `
  import { appendFileSync } from 'node:fs'
  import { createScriptedServer } from ${JSON.stringify(path.resolve('test/fakes/scripted-server.ts'))}
  import { answer } from ${JSON.stringify(path.resolve('test/fakes/scripted-engine.ts'))}
  import { listen } from ${JSON.stringify(path.resolve('src/server/listen.ts'))}
  import { silentLogger } from ${JSON.stringify(path.resolve('src/base/logger.ts'))}
  const home = ${JSON.stringify(home)}
  let seen = 0
  const script = ({ prompt }) => {
    const text = prompt.messages.at(-1).content
    if (++seen > ${holdAfter}) return [new Promise(() => {})]
    appendFileSync(home + '/seen', text + '\\n')
    return answer('to ' + text)
  }
  const clock = { now: Date.now, timer: (ms, call) => { const timer = setTimeout(call, ms); return () => clearTimeout(timer) } }
  const { app } = createScriptedServer({ script, scripted: { records: { home, clock } } })
  const { address } = await listen(app, { host: '127.0.0.1', port: 0, logger: silentLogger })
  console.log(address)`

async function startServer(holdAfter = Number.MAX_SAFE_INTEGER): Promise<{ client: OpenAI; child: ChildProcess; address: string }> {
  const script = path.join(home, `server-${children.length}.mts`)
  await writeFile(script, serverSource(holdAfter))
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const ended = once(child, 'exit').then(() => {
    throw new Error('the server ended before it listened')
  })
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
  ended.catch(() => {})
  const address = line.toString().trim()
  return { client: new OpenAI({ baseURL: `${address}/v1`, apiKey: 'none', maxRetries: 0 }), child, address }
}

const lineOf = (id: string): string =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'scripted', messages: [{ role: 'user', content: id }] },
  })

async function collected<T>(items: AsyncIterable<T> | Promise<AsyncIterable<T>>): Promise<T[]> {
  const all: T[] = []
  for await (const item of await items) all.push(item)
  return all
}

async function seen(): Promise<string[]> {
  const text = await readFile(path.join(home, 'seen'), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean)
}

test('a batch survives a kill: every line is answered, and none that was done is run again', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `line-${index}`)
  const before = await startServer(20)
  const file = await before.client.files.create({
    file: await toFile(Buffer.from(ids.map(lineOf).join('\n')), 'in.jsonl'),
    purpose: 'batch',
  })
  const { id } = await before.client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' })
  await poll(async () => (await before.client.batches.retrieve(id)).request_counts?.completed).toBe(20)
  await kill(before.child)

  const { client } = await startServer()
  await poll(async () => (await client.batches.retrieve(id)).status).toBe('completed')
  const batch = await client.batches.retrieve(id)
  expect(batch.request_counts).toEqual({ total: 40, completed: 40, failed: 0 })
  expect((await seen()).toSorted()).toEqual(ids.toSorted())
  const output = await (await client.files.content(batch.output_file_id ?? '')).text()
  const answers = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { custom_id: string; response: { body: OpenAI.ChatCompletion } })
  expect(answers.map(({ custom_id: one, response }) => [one, response.body.choices[0]?.message.content])).toEqual(
    ids.map((one) => [one, `to ${one}`]),
  )
}, 60_000)

test('files and batches through the client: list, content, cancel, delete', async () => {
  const { client } = await startServer(0)
  const expiry = { anchor: 'created_at' as const, seconds: 3600 }
  const file = await client.files.create({
    file: await toFile(Buffer.from(lineOf('a')), '输入.jsonl'),
    purpose: 'batch',
    expires_after: expiry,
  })
  expect(file).toMatchObject({ filename: '输入.jsonl', expires_at: file.created_at + 3600 })
  expect((await collected(client.files.list({ purpose: 'batch' }))).map(({ id }) => id)).toEqual([file.id])
  expect(await (await client.files.content(file.id)).text()).toBe(lineOf('a'))
  const batch = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' })
  await client.batches.cancel(batch.id)
  await poll(async () => (await client.batches.retrieve(batch.id)).status).toBe('cancelled')
  expect((await collected(client.batches.list())).map(({ id }) => id)).toEqual([batch.id])
  expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true })
})

test('an upload that breaks off leaves nothing, and the server goes on', async () => {
  const { client, address } = await startServer()
  const { port } = new URL(address)
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
  socket.write(
    `POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n${part}${'y'.repeat(2000)}`,
  )
  const files = async (): Promise<string[]> => readdir(path.join(home, 'files')).catch(() => [])
  await poll(files).toHaveLength(1)
  socket.destroy()
  await poll(files).toEqual([])
  expect((await client.files.list()).data).toEqual([])
})
