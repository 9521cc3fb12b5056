import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TextStream } from './text-stream.ts'

/** Feeds bytes in the given pieces; stops at a stop string. */
function feed(bytes: Uint8Array, cuts: readonly number[], stops: readonly string[]): { texts: string[]; stopped?: string } {
  const stream = new TextStream(stops)
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b)
  const texts: string[] = []
  let at = 0
  for (const end of [...places, bytes.length]) {
    const piece = stream.push(bytes.subarray(at, end))
    texts.push(piece.text)
    if (piece.stopped !== undefined) return { texts, stopped: piece.stopped }
    at = end
  }
  texts.push(stream.end().text)
  return { texts }
}

describe('TextStream', () => {
  it('gives the same text however the bytes of Chinese and emoji are cut into tokens', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '本', '地', '👩‍🚀', '🙂', 'é', ' ') }), fc.array(fc.nat(200)), (text, cuts) => {
        const { texts } = feed(new TextEncoder().encode(text), cuts, [])
        expect(texts.join('')).toBe(text)
        for (const piece of texts) expect(piece).not.toContain('\ufffd')
      }),
    )
  })

  it('never lets a stop string or a part of one out, and loses nothing before it', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '本'), maxLength: 30 })
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '本'), minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(letters, stops, fc.array(fc.nat(100)), (text, list, cuts) => {
        const { texts, stopped } = feed(new TextEncoder().encode(text), cuts, list)
        const sent = texts.join('')
        for (const stop of list) expect(sent).not.toContain(stop)
        if (stopped === undefined) expect(sent).toBe(text)
        else expect(text.startsWith(sent + stopped)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('sends the log-probabilities of a token with the last of its text', () => {
    const stream = new TextStream(['END'])
    const logprob = (token: string) => ({ token, bytes: [], logprob: -1, top: [] })
    expect(stream.push(new TextEncoder().encode('a'), logprob('a')).logprobs.map((l) => l.token)).toEqual(['a'])
    expect(stream.push(new TextEncoder().encode('bE'), logprob('bE'))).toEqual({ text: 'b', logprobs: [] })
    expect(stream.push(new TextEncoder().encode('x'), logprob('x')).logprobs.map((l) => l.token)).toEqual(['bE', 'x'])
  })

  it('replaces a character that never ends', () => {
    const stream = new TextStream([])
    expect(stream.push(new Uint8Array([0xe6, 0x9c])).text).toBe('')
    expect(stream.end().text).toBe('\ufffd')
  })
})
