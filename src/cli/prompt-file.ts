/** `bendi run --input-file`: one prompt a line. */
import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { AppError } from '../shared/errors.ts'
import type { Localized } from '../shared/language.ts'
import type { Output } from './output.ts'

/**
 * The lines that are not blank; the mark that editors put before UTF-8 is no part of the first. Throws `file-not-found`, and `usage` for what
 * cannot be read, is not UTF-8 (the model would be asked about replacement characters), or holds no prompt: no model is loaded for nothing.
 */
export async function readPromptFile(file: string, output: Pick<Output, 'say'>): Promise<string[]> {
  const unusable = (reason: Localized): AppError => new AppError('usage', { reason: `${file}: ${output.say(reason)}` })
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new AppError('file-not-found', { path: file })
    if (error.code === 'EISDIR') throw unusable({ en: 'it is a folder, not a file.', zh: '这是目录，不是文件。' })
    throw unusable({ en: `it cannot be read (${error.code ?? error.message}).`, zh: `无法读取（${error.code ?? error.message}）。` })
  })
  const lines = textOf(bytes)?.split(/\r\n|\r|\n/)
  if (!lines) throw unusable({ en: 'it is not UTF-8 text; save it as UTF-8.', zh: '不是 UTF-8 文本；请另存为 UTF-8 编码。' })
  const prompts = lines.filter((line) => line.trim() !== '')
  if (prompts.length === 0) throw unusable({ en: 'there is no prompt in it.', zh: '其中没有提示。' })
  return prompts
}

function textOf(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8').replace(/^\ufeff/, '') : undefined
}
