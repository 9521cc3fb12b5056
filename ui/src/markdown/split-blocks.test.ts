import { describe, expect, it } from 'vitest'
import { splitBlocks } from './split-blocks.ts'

function table(rows: number): string {
  return ['| a | b |', '|---|:-:|', ...Array.from({ length: rows }, (_, index) => `| ${index} | x |`)].join('\n')
}

describe('splitBlocks', () => {
  it('leaves ordinary blocks as they are', () => {
    const text = `# Title\n\nText.\n\n${table(80)}`
    expect(splitBlocks(text).join('')).toBe(text)
    expect(splitBlocks(text).at(-1)).toBe(table(80))
  })

  it('splits a long table into parts that each have the head, and loses no row', () => {
    const parts = splitBlocks(table(200))
    expect(parts).toHaveLength(3)
    for (const part of parts) expect(part.startsWith('| a | b |\n|---|:-:|\n| ')).toBe(true)
    const rows = parts.flatMap((part) => part.split('\n').slice(2))
    expect(rows).toEqual(table(200).split('\n').slice(2))
  })

  it('keeps the parts that are complete while the table grows', () => {
    const [before, after] = [splitBlocks(table(130)), splitBlocks(table(150))]
    expect(after[0]).toBe(before[0])
    expect(after[1]).not.toBe(before[1])
  })

  it('does not take long code for a table', () => {
    const code = `\`\`\`\n${table(200)}\n\`\`\``
    expect(splitBlocks(code)).toEqual([code])
  })
})
