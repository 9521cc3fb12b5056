import { expect, it } from 'vitest'
import { keepAliveOf } from './request-fields.ts'

it.each([
  ['5m', 300],
  ['1.5h', 5400],
  ['1h30m', 5400],
  ['2m0.5s', 120.5],
  ['100ms', 0.1],
  ['0', 0],
  ['90', 90],
  [0, 0],
  [-1, -1],
  ['-1s', -1],
  ['-1h', -1],
])('reads keep_alive %j as %d seconds', (value, seconds) => expect(keepAliveOf(value)).toBeCloseTo(seconds, 9))

it.each(['', 'm', '5 m', '5x', '1e3', '5m later', 'h5', '--1s'])('refuses keep_alive %j', (value) => {
  expect(() => keepAliveOf(value)).toThrow(expect.objectContaining({ code: 'invalid-field' }))
})
