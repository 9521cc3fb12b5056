import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import type { Model } from '../shared/api.ts'
import { modelFromFile, openLibrary } from './library.ts'
import type { Library } from './library.ts'

let folder = ''
let library: Library
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-library-'))
  library = openLibrary(path.join(folder, 'models'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, bytes: Buffer = tinyModelBytes()): Promise<string> {
  const target = path.join(folder, name)
  await mkdir(path.dirname(target), { recursive: true })
  await writeFile(target, bytes)
  return target
}

async function model(overrides: Partial<Model> = {}): Promise<Model> {
  const described = await modelFromFile(await file('incoming.gguf'), () => 1)
  return {
    ...described,
    name: 'deepseek-r1:1.5b',
    reference: 'hf:unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q4_K_M',
    source: 'huggingface',
    files: [{ path: 'model.gguf', bytes: tinyModelBytes().length, sha256: '0'.repeat(64) }],
    ...overrides,
  }
}

test('a library that does not exist yet is empty', async () => {
  expect(await library.list()).toEqual([])
  expect(await library.find('smollm2')).toBeUndefined()
})

test('a model is moved in with its manifest and found by name, alias and reference', async () => {
  const added = await library.add(await model(), [{ path: path.join(folder, 'incoming.gguf') }])
  expect(await library.list()).toEqual([added])
  const wanted = [
    'deepseek-r1:1.5b',
    'DeepSeek-R1:1.5B',
    'deepseek-r1',
    'hf:unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF',
    'unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:q4_k_m',
  ]
  for (const text of wanted) expect(await library.find(text)).toEqual(added)
  for (const text of ['deepseek-r1:7b', 'hf:unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF:Q8_0', 'no such model'])
    expect(await library.find(text)).toBeUndefined()
  expect(await readFile(library.fileOf(added))).toEqual(tinyModelBytes())
  expect(await readdir(folder)).toEqual(['models'])
})

test('adding again replaces the old files', async () => {
  await library.add(await model(), [{ path: path.join(folder, 'incoming.gguf') }])
  const other = tinyModelBytes({ vocabulary: 16 })
  const replaced = await library.add(await model({ files: [{ path: 'other.gguf', bytes: other.length }] }), [
    { path: await file('incoming.gguf', other) },
  ])
  expect(await library.list()).toEqual([replaced])
  expect(await readdir(path.dirname(library.fileOf(replaced)))).toEqual(['manifest.json', 'other.gguf'])
  expect((await readdir(path.join(folder, 'models'))).filter((name) => name.startsWith('.'))).toEqual([])
})

test('what a killed process has left is cleaned up, and nothing else', async () => {
  const models = path.join(folder, 'models')
  for (const name of ['.new-a-12-0123abcd', '.old-a-12-0123abcd', '.new-a-b-12-0123abcd', '.downloads'])
    await mkdir(path.join(models, name), { recursive: true })
  await library.add(await model({ name: 'a' }), [{ path: path.join(folder, 'incoming.gguf') }])
  expect(await readdir(models)).toEqual(['.downloads', '.new-a-b-12-0123abcd', 'a'])
})

test('a model whose file is gone or cut is not listed', async () => {
  const added = await library.add(await model(), [{ path: path.join(folder, 'incoming.gguf') }])
  await writeFile(library.fileOf(added), 'short')
  expect(await library.list()).toEqual([])
})

test('a folder with a broken manifest does not hide the others', async () => {
  const added = await library.add(await model(), [{ path: path.join(folder, 'incoming.gguf') }])
  await mkdir(path.join(folder, 'models', 'broken'))
  await writeFile(path.join(folder, 'models', 'broken', 'manifest.json'), '{"name":')
  expect(await library.list()).toEqual([added])
})

test('a file is used where it lies, by path or reference, and is listed only when it was added', async () => {
  const target = await file('my models/own.gguf')
  const found = await library.find(`file:${target}`)
  expect(found).toMatchObject({ name: `file:${target}`, title: 'Tiny', source: 'file', bytes: tinyModelBytes().length })
  expect(await library.find(target)).toMatchObject({ name: `file:${target}` })
  expect(await library.list()).toEqual([])
  if (!found) throw new Error('not found')
  expect(library.fileOf(found)).toBe(target)
  await library.add(found, [])
  expect(await library.list()).toHaveLength(1)
  expect(library.fileOf(found)).toBe(target)
})

test('removing deletes the folder, but never a file of the user', async () => {
  const target = await file('own.gguf')
  const own = await library.add(await modelFromFile(target), [])
  const pulled = await library.add(await model(), [{ path: path.join(folder, 'incoming.gguf') }])
  await library.remove(own)
  await library.remove(pulled)
  expect(await library.list()).toEqual([])
  expect((await stat(target)).size).toBe(tinyModelBytes().length)
  await expect(stat(library.fileOf(pulled))).rejects.toThrow('ENOENT')
})

test('names that differ only in signs never share a folder', async () => {
  const [a, b] = [await model({ name: 'a:b' }), await model({ name: 'a-b' })]
  expect(library.fileOf(a)).not.toBe(library.fileOf(b))
  expect(library.fileOf(await model({ name: '../../etc' }))).toContain(path.join(folder, 'models'))
})

test('file names from outside cannot leave the folder', async () => {
  const bad = await model({ files: [{ path: '../evil.gguf', bytes: 1 }] })
  await expect(library.add(bad, [{ path: path.join(folder, 'incoming.gguf') }])).rejects.toThrow(/cannot be a file name/)
  expect(await readdir(path.join(folder, 'models'))).toEqual([])
})

test('a path that leads nowhere, or to something else, is told', async () => {
  await expect(library.find(path.join(folder, 'none.gguf'))).rejects.toMatchObject({ code: 'file-not-found' })
  await expect(library.find(await file('page.gguf', Buffer.from('<html>')))).rejects.toMatchObject({ code: 'invalid-model-file' })
})
