import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createScriptedServer } from '../../test/fakes/scripted-server.ts'
import { silentLogger } from '../base/logger.ts'
import { ResponseSchema } from '../shared/responses.ts'
import { systemClock } from './clock.ts'
import { createRecords, type Records } from './records.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bendi-records-'))
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

const recordsHere = (): Records => createRecords({ home, logger: silentLogger, clock: systemClock, load: async () => 'free' })

const upload = async (records: Records): Promise<string> => {
  const content = (async function* () {
    yield Buffer.from('hello')
  })()
  return (await records.files.create(content, { filename: 'a.txt', purpose: 'user_data' })).id
}

test('what was uploaded is never thrown away because the database broke', async () => {
  const before = recordsHere()
  const id = await upload(before)
  await before.close()
  await writeFile(path.join(home, 'bendi.db'), 'no database any more '.repeat(500))
  const after = recordsHere()
  await after.start(async () => ({ status: 200, requestId: '', body: {} }))
  await after.close()
  const aside = (await readdir(home)).find((name) => name.startsWith('files.broken-')) ?? ''
  expect(await readFile(path.join(home, aside, id), 'utf8')).toBe('hello')
})

test('who is still being answered while the server stops has that answer stored', async () => {
  const server = createScriptedServer({ scripted: { records: { home } } })
  const reply = await server.post('/v1/responses', { model: 'scripted', input: 'Hi', store: false })
  const response = ResponseSchema.parse(await reply.json())
  const records = recordsHere()
  await records.stop()
  expect(await records.responses.keep(response, [])).toBe(true)
  await records.close()
  expect(await records.responses.keep(response, [])).toBe(false)
  await server.platform.close()
})
