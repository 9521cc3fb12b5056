import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureFolder } from './ensure-folder.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'bendi-folder-'))
})
afterEach(() => rm(root, { recursive: true }))

describe('ensureFolder', () => {
  it('makes a folder with those above it, of the mode that is asked, and is content with one that is there', async () => {
    const folder = path.join(root, '模型 1', 'b', 'c')
    ensureFolder(folder, 0o700)
    ensureFolder(folder, 0o700)
    for (const each of [folder, path.dirname(folder)]) expect((await stat(each)).mode & 0o777).toBe(0o700)
    await symlink(folder, path.join(root, 'link'))
    ensureFolder(path.join(root, 'link'))
  })

  it('throws where a file is in the way', async () => {
    await writeFile(path.join(root, 'file'), '')
    expect(() => ensureFolder(path.join(root, 'file'))).toThrow(/EEXIST/)
    expect(() => ensureFolder(path.join(root, 'file', 'a', 'b'))).toThrow(/ENOTDIR/)
  })

  it.runIf(process.platform === 'linux')('ends in a file system that makes no folders', () => {
    expect(() => ensureFolder('/proc/bendi/a/b')).toThrow(/ENOENT/)
  })
})
