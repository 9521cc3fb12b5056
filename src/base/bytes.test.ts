import { expect, test } from 'vitest'

import { formatBytes } from './bytes.ts'

test('sizes are printed in powers of 1000 with one decimal below 100', () => {
  expect(formatBytes(0)).toBe('0 B')
  expect(formatBytes(999)).toBe('999 B')
  expect(formatBytes(1000)).toBe('1.0 kB')
  expect(formatBytes(98_362_432)).toBe('98.4 MB')
  expect(formatBytes(713_286_514_368)).toBe('713 GB')
})

test('rounding never prints a thousand of a unit', () => {
  expect(formatBytes(999_999)).toBe('1.0 MB')
  expect(formatBytes(999_999_999_999)).toBe('1.0 TB')
})

test('what is not a number is shown as unknown', () => {
  expect(formatBytes(Number.NaN)).toBe('? B')
})
