import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocateRaw, blobFromBytes, bytesForStreams, normalizeBlob, resetStreams } from './sequence-blob.ts'

const MAGIC = 0x6767_7371

/** As libllama writes a slot of a context with so many streams. */
function rawBlob(slot: number, streams: number, cells: number, data: Uint8Array): Buffer {
  const word = (value: number): Buffer => Buffer.from(new Uint32Array([value]).buffer)
  const empty = (count: number): Buffer => Buffer.alloc(4 * count)
  const stream = streams === 1 ? 0 : slot
  return Buffer.concat([word(MAGIC), word(slot), word(streams), empty(stream), word(cells), data, empty(streams - 1 - stream)])
}

const shapes = fc
  .record({ streams: fc.integer({ min: 1, max: 256 }), place: fc.nat() })
  .map(({ streams, place }) => ({ streams, slot: place % streams }))

test('a saved sequence reads as if the context that reads it had written it, but for its place', () => {
  fc.assert(
    fc.property(
      shapes,
      fc.integer({ min: 1, max: 256 }),
      fc.uint8Array({ minLength: 1, maxLength: 50 }),
      ({ slot, streams }, others, data) => {
        const written = rawBlob(slot, streams, 9, data)
        const raw = allocateRaw(written.length)
        raw.set(written)
        const blob = normalizeBlob(raw, written.length, streams === 1 ? 0 : slot, streams)
        if (!blob) throw new Error('not recognised')
        const stored = Uint8Array.from(blob.bytes)
        expect(Buffer.from(stored)).toEqual(rawBlob(0, 1, 9, data))
        expect(Buffer.from(bytesForStreams(blob, others))).toEqual(rawBlob(0, others, 9, data))
        resetStreams(blob)
        expect(Buffer.from(blob.bytes)).toEqual(Buffer.from(stored))
        expect(Buffer.from(bytesForStreams(blobFromBytes(stored), others))).toEqual(rawBlob(0, others, 9, data))
      },
    ),
  )
})

test('bytes of another form are refused', () => {
  const written = rawBlob(1, 4, 9, new Uint8Array(8).fill(1))
  const normalize = (stream: number, streams: number): unknown => normalizeBlob(Buffer.from(written), written.length, stream, streams)
  expect(normalize(1, 4)).toBeDefined()
  expect(normalize(1, 3)).toBeUndefined()
  expect(normalize(3, 4)).toBeUndefined()
  expect(normalizeBlob(Buffer.alloc(8), 8, 0, 1)).toBeUndefined()
})
