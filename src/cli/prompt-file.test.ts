import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Language, Localized } from '../shared/language.ts'
import { readPromptFile } from './prompt-file.ts'

let folder = ''
beforeEach(async () => void (folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-prompts-'))))
afterEach(() => rm(folder, { recursive: true, force: true }))

async function promptsIn(content: string | Uint8Array, language: Language = 'en'): Promise<string[]> {
  const file = path.join(folder, 'prompts.txt')
  await writeFile(file, content)
  return readPromptFile(file, { say: (text: Localized) => text[language] })
}

describe('a file of prompts', () => {
  it('may begin with a byte order mark and end its lines in any way; blank lines are none', async () => {
    expect(await promptsIn('\ufeff一\r\n\r\ntwo\rthree\n  \nfour')).toEqual(['一', 'two', 'three', 'four'])
  })

  it('keeps long lines whole', async () => {
    const line = '天'.repeat(300_000)
    expect(await promptsIn(`${line}\nend`)).toEqual([line, 'end'])
  })

  it('of another encoding is refused rather than asked about with replacement characters', async () => {
    await expect(promptsIn(Uint8Array.of(0xc4, 0xe3, 0xba, 0xc3, 0x0a))).rejects.toMatchObject({
      code: 'usage',
      data: { reason: expect.stringContaining('not UTF-8') },
    })
  })

  it('without a prompt is refused, in both languages', async () => {
    await expect(promptsIn(' \n\r\n')).rejects.toMatchObject({ data: { reason: expect.stringContaining('no prompt') } })
    await expect(promptsIn('', 'zh')).rejects.toMatchObject({ data: { reason: expect.stringContaining('没有提示') } })
  })

  it('that is a folder, or is not there, is told as such', async () => {
    const output = { say: (text: Localized) => text.en }
    await expect(readPromptFile(folder, output)).rejects.toMatchObject({ data: { reason: expect.stringContaining('a folder') } })
    await expect(readPromptFile(path.join(folder, 'none'), output)).rejects.toMatchObject({ code: 'file-not-found' })
  })
})
