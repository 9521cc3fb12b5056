import { describe, expect, test } from 'vitest'

import { localNames } from './local-names.ts'

describe('names of files in the library', () => {
  test('are the last parts of their paths', () => {
    expect(localNames(['Q4_K_M/a-00001-of-00002.gguf', 'Q4_K_M/a-00002-of-00002.gguf'])).toEqual([
      'a-00001-of-00002.gguf',
      'a-00002-of-00002.gguf',
    ])
  })

  test('tell files of the same name apart, also where a disk knows no capitals', () => {
    expect(localNames(['vae/config.json', 'config.json', 'unet/Config.JSON'])).toEqual([
      'vae__config.json',
      'config.json',
      'unet__Config.JSON',
    ])
    const [first = '', second = ''] = localNames(['B.txt', 'b.txt'])
    expect(first).toBe('B.txt')
    expect(second).toMatch(/^b-[0-9a-f]{8}\.txt$/)
  })

  test('never are the name of our manifest', () => {
    expect(localNames(['manifest.json', 'x/Manifest.json'])[0]).toMatch(/^manifest-[0-9a-f]{8}\.json$/)
    expect(localNames(['manifest.json', 'x/Manifest.json'])[1]).toBe('x__Manifest.json')
  })

  test('have nothing that a disk refuses', () => {
    expect(localNames(['..', 'a/..\\..\\x.gguf', 'b\u0000.gguf', ''])).toEqual([
      'file',
      '.._.._x.gguf',
      'b_.gguf',
      expect.stringMatching(/^file-/),
    ])
  })

  test('are shortened where they are too long, and the parts of a set still belong together', () => {
    const long = '很长的名字'.repeat(30)
    const names = localNames([`${long}-00001-of-00002.gguf`, `${long}-00002-of-00002.gguf`])
    expect(names.every((name) => Buffer.byteLength(name) <= 200)).toBe(true)
    expect(names[0]?.replace('00001-of', '00002-of')).toBe(names[1])
  })
})
