import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { copyModel, modelFromUploads } from './copy-model.ts'
import { modelFromFile, openLibrary, type Library } from './library.ts'
import { findUpload, forgetUploads, saveUpload } from './uploads.ts'

const gguf = tinyModelBytes({ extraBytes: 1000 })
const sha256 = createHash('sha256').update(gguf).digest('hex')

let folder = ''
let library: Library
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-copy-'))
  library = openLibrary(path.join(folder, 'models'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 300) yield bytes.subarray(at, at + 300)
}
const upload = (bytes: Uint8Array = gguf, now = Date.now()): Promise<void> =>
  saveUpload(library, sha256, { chunks: chunks(bytes), bytes: bytes.length, now: () => now })
const uploads = (): Promise<string[]> => readdir(path.join(library.downloadsFolder, 'uploads'))
const made = async (name: string): ReturnType<typeof modelFromUploads> => {
  await upload()
  return modelFromUploads([{ name: 'a.gguf', path: (await findUpload(library, sha256)) ?? '', sha256 }], name, { library })
}

describe('an upload', () => {
  test('is kept by its hash, and found again in the library when it is a model', async () => {
    expect(await findUpload(library, sha256)).toBeUndefined()
    const model = await made('mine')
    await forgetUploads(library, [sha256])
    expect(await uploads()).toEqual([])
    expect(await findUpload(library, sha256)).toBe(library.fileOf(model))
  })

  test('that is something else leaves nothing behind', async () => {
    await expect(upload(Buffer.from('else'))).rejects.toMatchObject({ code: 'checksum-mismatch' })
    expect(await uploads()).toEqual([])
  })

  test('that nobody used is deleted after a day', async () => {
    await upload()
    const old = path.join(library.downloadsFolder, 'uploads', 'f'.repeat(64))
    await writeFile(old, 'x')
    await utimes(old, new Date(0), new Date(0))
    await upload()
    expect(await uploads()).toEqual([sha256])
  })
})

describe('a copy', () => {
  test('outlives what it was made of, without a second copy of the bytes', async () => {
    const model = await made('mine')
    const copy = await copyModel(model, 'team/other:v1', { library, license: 'MIT' })
    expect(copy).toMatchObject({ name: 'team/other:v1', license: 'MIT', files: [{ path: 'a.gguf', sha256 }] })
    await library.remove(model)
    expect((await library.list()).map(({ name }) => name)).toEqual(['team/other:v1'])
    const found = await library.find('team/other:v1')
    expect(found && (await readFile(library.fileOf(found)))).toEqual(gguf)
    expect((await readdir(library.downloadsFolder)).filter((name) => name.startsWith('copy-'))).toEqual([])
  })

  test('of a file that is used in place uses it in place too', async () => {
    const file = path.join(folder, 'x.gguf')
    await writeFile(file, gguf)
    const copy = await copyModel(await modelFromFile(file), 'named', { library })
    expect(library.fileOf(copy)).toBe(file)
    await library.remove(copy)
    expect(await readFile(file)).toEqual(gguf)
  })

  test('to itself changes nothing', async () => {
    const model = await made('mine')
    expect(await copyModel(model, 'mine', { library })).toBe(model)
    expect(await library.list()).toHaveLength(1)
  })

  test.each(['', '../x', 'a/../b/c', 'hf:org/repo', 'default', 'a b', 'a:b:c', '.hidden', 'x'.repeat(300)])(
    'cannot be called %j',
    async (name) => {
      await expect(copyModel(await made('mine'), name, { library })).rejects.toMatchObject({ code: 'invalid-reference' })
    },
  )
})

test('what is no GGUF file becomes no model', async () => {
  const file = path.join(folder, 'text')
  await writeFile(file, 'hello')
  await expect(modelFromUploads([{ name: 'a.gguf', path: file, sha256 }], 'mine', { library })).rejects.toMatchObject({
    code: 'invalid-model-file',
  })
  expect(await library.list()).toEqual([])
})
