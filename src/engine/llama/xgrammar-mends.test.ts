import { expect, test } from 'vitest'
import { mendPattern } from './xgrammar-mends.ts'

test('a dot of a pattern becomes a set that holds whole characters; escaped dots and dots in sets stay', () => {
  expect(mendPattern('a.b\\.[.\\]].')).toBe('a[^\\n\\r]b\\.[.\\]][^\\n\\r]')
  expect(mendPattern('\\\\.')).toBe('\\\\[^\\n\\r]')
})
