import { describe, expect, test } from 'vitest'

import { chooseGguf, quantizationIn } from './choose-file.ts'

const files = (...paths: string[]): { path: string }[] => paths.map((path) => ({ path }))
const choose = (paths: string[], wish: { quantization?: string; file?: string } = {}): string[] =>
  chooseGguf(files(...paths), 'hf:a/b', wish).files.map((file) => file.path)

test.each([
  ['DeepSeek-R1-Distill-Qwen-7B-Q4_K_M.gguf', 'Q4_K_M'],
  ['model.Q8_0.gguf', 'Q8_0'],
  ['llama-2-7b.q4_k_s.gguf', 'Q4_K_S'],
  ['x-UD-IQ1_S-00001-of-00003.gguf', 'UD-IQ1_S'],
  ['x-UD-Q4_K_XL.gguf', 'UD-Q4_K_XL'],
  ['x-BF16.gguf', 'BF16'],
  ['x-Q4_K.gguf', 'Q4_K'],
  ['x-Q6_K_L.gguf', 'Q6_K_L'],
  ['x-MXFP4_MOE.gguf', 'MXFP4_MOE'],
  ['ggml-model.gguf', undefined],
])('the quantisation of %s is %s', (file, quantization) => {
  expect(quantizationIn(file)).toBe(quantization)
})

describe('choosing', () => {
  test('without a wish takes 4 bits, else the nearest that is there', () => {
    expect(choose(['a-Q8_0.gguf', 'a-Q4_K_M.gguf', 'a-Q2_K.gguf'])).toEqual(['a-Q4_K_M.gguf'])
    expect(choose(['a-Q8_0.gguf', 'a-Q5_K_M.gguf'])).toEqual(['a-Q5_K_M.gguf'])
    expect(choose(['only.gguf', 'README.md'])).toEqual(['only.gguf'])
  })

  test('takes exactly the wished one', () => {
    expect(choose(['a-Q4_K_M.gguf', 'a-Q4_K.gguf', 'a-UD-Q4_K_XL.gguf'], { quantization: 'Q4_K' })).toEqual(['a-Q4_K.gguf'])
    expect(choose(['a-Q4_K_M.gguf', 'a-UD-Q4_K_XL.gguf'], { quantization: 'ud-q4_k_xl' })).toEqual(['a-UD-Q4_K_XL.gguf'])
  })

  test('takes split sets whole and in order, also in folders', () => {
    const set = ['Q4_K_M/a-Q4_K_M-00002-of-00002.gguf', 'Q4_K_M/a-Q4_K_M-00001-of-00002.gguf', 'Q8_0/a-Q8_0-00001-of-00001.gguf']
    expect(choose(set)).toEqual(['Q4_K_M/a-Q4_K_M-00001-of-00002.gguf', 'Q4_K_M/a-Q4_K_M-00002-of-00002.gguf'])
    expect(choose(set, { file: 'Q4_K_M/a-Q4_K_M-00001-of-00002.gguf' })).toHaveLength(2)
  })

  test('never takes vision parts or importance matrices', () => {
    expect(choose(['mmproj-model-Q4_K_M.gguf', 'a-Q8_0.gguf', 'a-imatrix.gguf'])).toEqual(['a-Q8_0.gguf'])
  })

  test('says what is wrong', () => {
    expect(() => choose(['README.md'])).toThrow(/no GGUF files/)
    expect(() => choose(['a-Q8_0.gguf'], { quantization: 'Q4_K_M' })).toThrow(/there is no Q4_K_M; the repository has Q8_0/)
    expect(() => choose(['a-Q4_K_M-00001-of-00003.gguf'])).toThrow(/1 of 3 parts/)
    expect(() => choose(['a-Q8_0.gguf'], { file: 'b.gguf' })).toThrow(/no file b\.gguf/)
  })

  test('chooses by what fits when no quantisation is named', () => {
    const sized = [
      { path: 'a-Q4_K_M.gguf', bytes: 400 },
      { path: 'a-Q3_K_M.gguf', bytes: 300 },
      { path: 'a-Q2_K.gguf', bytes: 200 },
      { path: 'a-IQ1_S.gguf', bytes: 100 },
    ]
    const within = (most: number): string[] =>
      chooseGguf(sized, 'hf:org/repo', {}, { fits: (bytes) => bytes <= most }).files.map(({ path }) => path)
    expect(within(1000)).toEqual(['a-Q4_K_M.gguf'])
    expect(within(350)).toEqual(['a-Q3_K_M.gguf'])
    expect(within(250)).toEqual(['a-Q2_K.gguf'])
    expect(within(10)).toEqual(['a-Q4_K_M.gguf'])
  })

  test('takes what --include and --exclude leave', () => {
    const mixed = files('a-Q4_K_M.gguf', 'a-Q8_0.gguf', 'config.json', 'model.safetensors')
    expect(chooseGguf(mixed, 'hf:org/repo', {}, { exclude: ['*Q4*'] }).files).toEqual([{ path: 'a-Q8_0.gguf' }])
    expect(chooseGguf(mixed, 'hf:org/repo', {}, { include: ['*.json', '*.safetensors'] }).files).toHaveLength(2)
    expect(() => chooseGguf(mixed, 'hf:org/repo', {}, { include: ['*.onnx'] })).toThrow(/leave no file/)
  })
})
