import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { Model } from '../shared/api.ts'
import { savedPromptsFolder, withSavedPrompts } from './saved-prompts.ts'

it('gives each model a folder below the common one, also where their names hardly differ', () => {
  const names = [
    'deepseek-r1:1.5b',
    'deepseek-r1-1.5b',
    '深度求索',
    '通义千问',
    '..',
    'file:/a/b.gguf',
    'x'.repeat(300),
    `y${'x'.repeat(300)}`,
  ]
  const folders = names.map((name) => savedPromptsFolder('/cache/kv', name))
  expect(new Set(folders).size).toBe(names.length)
  for (const folder of folders) {
    expect(path.dirname(folder)).toBe('/cache/kv')
    expect(path.basename(folder)).toMatch(/^[\w-]{13,80}$/)
  }
})

it('forgets what was computed for a model when the model is removed, and nothing of others', async () => {
  const kvCache = await mkdtemp(path.join(tmpdir(), 'bendi-saved-'))
  for (const name of ['a', 'b']) {
    const folder = savedPromptsFolder(kvCache, name)
    await mkdir(folder)
    await writeFile(path.join(folder, 'x.kv'), 'what somebody wrote')
  }
  const removed: string[] = []
  const store = {
    list: async () => [],
    find: async () => undefined,
    remove: async (model: Model) => void removed.push(model.name),
  }
  await withSavedPrompts(store, kvCache).remove({ name: 'a' } as Model)
  expect(removed).toEqual(['a'])
  expect(await readdir(kvCache)).toEqual([path.basename(savedPromptsFolder(kvCache, 'b'))])
})
