import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReasoningSplitter, HELD_LIMIT, type ReasoningDelta } from './reasoning-split.ts'

interface Options {
  opensThought: boolean
  mayThink: boolean
}
const r1: Options = { opensThought: true, mayThink: true }
const qwen3: Options = { opensThought: false, mayThink: true }
const plain: Options = { opensThought: false, mayThink: false }

/** Totals, and the most that was ever held back. */
function split(options: Options, pieces: readonly string[]): ReasoningDelta & { held: number } {
  const splitter = createReasoningSplitter(options)
  const total = { reasoning: '', text: '', held: 0 }
  const deltas = [...pieces.map((piece) => splitter.push(piece)), splitter.end()]
  for (const delta of deltas) {
    // The answer never comes before the end of the thoughts.
    if (delta.reasoning !== '') expect(total.text).toBe('')
    total.reasoning += delta.reasoning
    total.text += delta.text
  }
  const last = deltas.at(-1)
  total.held = (last?.reasoning.length ?? 0) + (last?.text.length ?? 0)
  return total
}

describe('the reasoning splitter', () => {
  it.each([
    ['R1: the prompt opened the thought', r1, '\nFirst, add.\n</think>\n\nIt is 2.', 'First, add.', 'It is 2.'],
    ['R1 that opens it once more', r1, '<think>\nadd\n</think>2', 'add', '2'],
    ['a thought that was cut off stays a thought', r1, 'hm </thin', 'hm </thin', ''],
    ['an empty thought', r1, '</think>\n\nYes.', '', 'Yes.'],
    ['the model opens the thought', qwen3, '\n<think>\na\n</think>\n\nb', 'a', 'b'],
    ['the model never opens one', qwen3, ' Hello <think> is a tag', '', ' Hello <think> is a tag'],
    ['a text that begins like the tag', qwen3, '<thin ice>', '', '<thin ice>'],
    ['a second thought is text', qwen3, '<think>a</think>b<think>c</think>', 'a', 'b<think>c</think>'],
    ['a model without thoughts', plain, '<think>x</think>y', '', '<think>x</think>y'],
    ['nothing at all', r1, '', '', ''],
    ['only white space', qwen3, ' \n', '', ' \n'],
    ['Chinese and emoji', r1, '想一想🤔</think>答案', '想一想🤔', '答案'],
  ])('%s', (_, options, text, reasoning, answer) => {
    expect(split(options, [text])).toMatchObject({ reasoning, text: answer })
  })

  it('passes visible text on at once', () => {
    const splitter = createReasoningSplitter(r1)
    expect(splitter.push('Let me')).toEqual({ reasoning: 'Let me', text: '' })
    expect(splitter.push(' see</think>\n\nYes')).toEqual({ reasoning: ' see', text: 'Yes' })
    expect(splitter.push(', it is ')).toEqual({ reasoning: '', text: ', it is ' })
  })

  const fragment = fc.constantFrom(
    '<think>',
    '</think>',
    '<',
    '</',
    'think>',
    ' ',
    '\n',
    '\n\n',
    '                    ',
    'a',
    '想',
    '🤔',
    '<thi',
  )
  const text = fc.array(fragment, { maxLength: 14 }).map((parts) => parts.join(''))
  const options = fc.constantFrom(r1, qwen3, plain)

  it('gives the same totals however the text is cut, and holds little', () => {
    fc.assert(
      fc.property(options, text, fc.array(fc.nat(200), { maxLength: 8 }), (given, whole, cuts) => {
        const expected = split(given, [whole])
        const byCharacter = split(given, whole.split(''))
        const points = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].toSorted((a, b) => a - b)
        const byPieces = split(
          given,
          points.slice(1).map((point, index) => whole.slice(points[index], point)),
        )
        for (const result of [byCharacter, byPieces]) {
          expect({ reasoning: result.reasoning, text: result.text }).toEqual({ reasoning: expected.reasoning, text: expected.text })
          expect(result.held).toBeLessThanOrEqual(HELD_LIMIT)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('loses nothing but tags and the white space around them', () => {
    fc.assert(
      fc.property(options, text, (given, whole) => {
        const { reasoning, text: answer } = split(given, [whole])
        const visible = (value: string): string => value.replace(/\s/g, '')
        const kept = visible(reasoning + answer)
        expect(visible(whole).length - kept.length).toBeLessThanOrEqual('<think>'.length * 14 + '</think>'.length)
        if (!given.mayThink) expect(answer).toBe(whole)
        if (!whole.includes('<think>') && !given.opensThought) expect(answer).toBe(whole)
      }),
    )
  })
})
