import fc from 'fast-check'
import { expect, test } from 'vitest'

import { overlap, rangeBytes } from './ranges.ts'
import { newSource } from './source-state.ts'
import { nextPiece, unassigned } from './work.ts'
import type { Work } from './work.ts'

const source = newSource({ name: 'hub', url: 'http://127.0.0.1/file' }, 16)

function workOf(start: number, at: number, end: number): Work {
  return { source, start, at, end, speed: 0, startedAt: 0, lastByteAt: 0 }
}

test('what a connection has received and not yet written is not given to another one', () => {
  expect(unassigned([{ start: 0, end: 100 }], [workOf(100, 180, 300)], 400)).toEqual([{ start: 300, end: 400 }])
})

test('pieces that are taken one after another never overlap, and together they are the whole file', () => {
  const length = fc.integer({ min: 1, max: 100_000_000 })
  fc.assert(
    fc.property(length, fc.integer({ min: 0, max: 50_000_000 }), fc.integer({ min: 1, max: 16 }), (totalBytes, speed, connections) => {
      const works: Work[] = []
      for (;;) {
        const piece = nextPiece(unassigned([], works, totalBytes), speed, connections)
        if (!piece) break
        expect(works.some((work) => overlap(work, piece))).toBe(false)
        works.push(workOf(piece.start, Math.floor((piece.start + piece.end) / 2), piece.end))
      }
      expect(rangeBytes(works)).toBe(totalBytes)
    }),
    { numRuns: 50 },
  )
})
