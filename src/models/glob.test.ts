import { expect, test } from 'vitest'

import { effortOf } from '../../test/fixtures/effort.ts'
import { matchesGlob, selectFiles } from './glob.ts'

/** A moment; what grows with the square takes hundreds. */
const EFFORT_MAX = 40

test.each([
  ['model-Q4_K_M.gguf', '*.gguf', true],
  ['a/b/model.GGUF', '*.gguf', true],
  ['a/b/model.gguf', 'a/*.gguf', false],
  ['a/b/model.gguf', 'a/**.gguf', true],
  ['config.json', 'c?nfig.json', true],
  ['config.json', 'config', false],
  ['a+b(1).json', 'a+b(1).*', true],
  ['x', '', false],
])('%s against %s is %s', (path, pattern, expected) => {
  expect(matchesGlob(path, pattern)).toBe(expected)
})

test('files are chosen by what is included and not excluded', () => {
  const files = ['a.json', 'b.gguf', 'onnx/c.onnx'].map((path) => ({ path }))
  expect(selectFiles(files, [], ['onnx/*']).map(({ path }) => path)).toEqual(['a.json', 'b.gguf'])
  expect(selectFiles(files, ['*.json', '*.onnx'], []).map(({ path }) => path)).toEqual(['a.json', 'onnx/c.onnx'])
})

test('no pattern is slow', async () => {
  const match = (): boolean => matchesGlob('a'.repeat(2000), `${'*a'.repeat(200)}b`)
  expect(match()).toBe(false)
  expect(await effortOf(match, EFFORT_MAX)).toBeLessThan(EFFORT_MAX)
})
