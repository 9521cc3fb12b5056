import { expect, test } from 'vitest'
import { createLogitScan } from './logit-scan.ts'
import { tokenLogprob } from './token-logprob.ts'

const tools = { scan: createLogitScan(4), pieceBytes: (token: number) => (token === 2 ? new Uint8Array([0xe4]) : Buffer.from(`t${token}`)) }

test('log-probabilities are the log-softmax of the logits, also of very large ones', () => {
  const logits = Float32Array.from([Math.log(1), Math.log(2), Math.log(4), Math.log(1)])
  const shifted = logits.map((logit) => logit + 1e4)
  for (const [row, digits] of [
    [logits, 5],
    [shifted, 2],
  ] as const) {
    const { logprob, top } = tokenLogprob(row, 0, 2, tools)
    expect(Math.exp(logprob)).toBeCloseTo(1 / 8, digits)
    expect(top.map((one) => Math.exp(one.logprob))).toEqual([expect.closeTo(0.5, digits), expect.closeTo(0.25, digits)])
  }
})

test('half a character shows as a replacement, its bytes as they are', () => {
  const { top } = tokenLogprob(Float32Array.from([0, 1, 2, 0]), 0, 1, tools)
  expect(top).toMatchObject([{ token: '\uFFFD', bytes: [0xe4] }])
})

test('no alternatives are reported when none are asked for, and a forbidden token is at −∞', () => {
  const { logprob, top } = tokenLogprob(Float32Array.from([0, Number.NEGATIVE_INFINITY, 0, 0]), 1, 0, tools)
  expect(top).toEqual([])
  expect(logprob).toBe(Number.NEGATIVE_INFINITY)
})
