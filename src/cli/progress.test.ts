import { describe, expect, it } from 'vitest'
import type { Pull } from '../shared/api.ts'
import type { Output } from './output.ts'
import { createProgress, formatSeconds, progressText } from './progress.ts'
import { textWidth } from './text-width.ts'

const pull: Pull = {
  id: '1',
  reference: 'hf:org/tiny',
  state: 'downloading',
  source: 'hf-mirror',
  doneBytes: 300_000_000,
  totalBytes: 1_200_000_000,
  bytesPerSecond: 10_000_000,
}

function screen(isInteractive: boolean): { output: Output; written: string[] } {
  const written: string[] = []
  const output: Output = {
    language: 'en',
    json: false,
    isInteractive,
    columns: 80,
    say: (text) => text.en,
    line: () => {},
    raw: () => {},
    result: () => {},
    jsonLine: () => {},
    table: () => {},
    note: () => {},
    error: () => {},
    dim: (text) => text,
    bold: (text) => text,
    status: (text) => written.push(text),
  }
  return { output, written }
}

describe('progress', () => {
  it('shows share, sizes, speed, time left and source', () => {
    expect(progressText(pull, 'en', true)).toBe('[######------------------]  25%  300 MB / 1.2 GB  10.0 MB/s  1m 30s  hf-mirror')
    expect(progressText({ ...pull, state: 'verifying' }, 'zh', true)).toContain('正在校验')
  })

  it('redraws one line on a terminal, never wider than it, ten times a second at most', () => {
    const { output, written } = screen(true)
    let now = 0
    const progress = createProgress({ output, columns: () => 40, now: () => now })
    for (now = 0; now < 1000; now += 10) progress.show({ ...pull, doneBytes: now })
    progress.end()
    expect(written).toHaveLength(11)
    for (const text of written.slice(0, -1)) expect(textWidth(text.replace('\r\u001b[K', ''))).toBeLessThan(40)
    expect(written.at(-1)).toBe('\n')
  })

  it('writes a line every few seconds elsewhere, and one for each new state', () => {
    const { output, written } = screen(false)
    let now = 0
    const progress = createProgress({ output, columns: () => 80, now: () => now })
    for (now = 0; now <= 12_000; now += 100) progress.show(pull)
    progress.show({ ...pull, state: 'done' })
    progress.end()
    expect(written).toHaveLength(4)
    expect(written.join('')).not.toContain('\r')
  })

  it.each([
    [4.4, '4s'],
    [75, '1m 15s'],
    [3600, '1h 00m'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text)
  })
})
