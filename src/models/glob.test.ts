import { expect, test } from 'vitest'

import { matchesGlob, selectFiles } from './glob.ts'

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

test('no pattern is slow', () => {
  const startedAt = performance.now()
  expect(matchesGlob('a'.repeat(2000), `${'*a'.repeat(200)}b`)).toBe(false)
  expect(performance.now() - startedAt).toBeLessThan(1000)
})
