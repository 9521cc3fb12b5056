import { describe, expect, it } from 'vitest'
import { Generation } from './generation.ts'
import type { GenerateCommand } from './messages.ts'
import { createSequence } from './sequence.ts'
import type { Sequence } from './sequence.ts'

const command: GenerateCommand = {
  type: 'generate',
  id: 7,
  prompt: { type: 'tokens', tokens: [1, 2] },
  sampling: {},
  stop: [],
  ignoreEos: false,
  choices: 2,
  deterministic: false,
  promptLogprobs: false,
  background: false,
  markup: [],
}

function begin(): { generation: Generation; sequences: Sequence[] } {
  const generation = new Generation({ command, pieceBytes: (token) => Buffer.from(String.fromCharCode(token)), now: () => 10 })
  const sequences = [0, 1].map((id) => createSequence({ id, tokens: [1, 2], sampling: { seed: 0, ignoreEos: false } }, 0))
  for (const sequence of sequences) generation.add(sequence)
  return { generation, sequences }
}

describe('Generation', () => {
  it('ends an answer before its model does: what comes later is not told, and the last one finishes the request', () => {
    const { generation, sequences } = begin()
    const [first, second] = sequences
    if (!first || !second) throw new Error('two were begun')
    generation.take({ type: 'tokens', sequence: first, tokens: [{ token: 97 }] })
    expect(generation.endChoice(0)).toEqual([{ type: 'choice-end', choice: 0, reason: 'stop' }])
    expect(generation.endChoice(0)).toEqual([])
    expect(generation.take({ type: 'tokens', sequence: first, tokens: [{ token: 98 }] }).events).toEqual([])
    expect(generation.take({ type: 'failed', sequence: first, code: 'cancelled', reason: 'cancelled' }).events).toEqual([])
    expect(generation.ended).toBe(false)
    expect(generation.endChoice(1)).toMatchObject([
      { type: 'choice-end', choice: 1 },
      { type: 'finish', usage: { promptTokens: 2, completionTokens: 1 } },
    ])
    expect(generation.ended).toBe(true)
  })
})
