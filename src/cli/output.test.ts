import { expect, it } from 'vitest'
import { tableLines } from './output.ts'
import { textWidth, wrapToWidth } from './text-width.ts'

it('a table lines up what a terminal shows, Chinese included, without spaces at the ends', () => {
  const columns = [
    { title: { en: 'NAME', zh: '名称' } },
    { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
    { title: { en: 'NOTE', zh: '备注' } },
  ] as const
  const rows = [
    ['模型', '1 B', 'x'],
    ['abc', '100 kB', ''],
  ]
  const lines = tableLines(columns, rows, 'zh')
  expect(lines).toEqual(['名称    大小  备注', '模型     1 B  x', 'abc   100 kB'])
  expect(textWidth(lines[0]?.slice(0, 8) ?? '')).toBe(textWidth('模型     1 B'))
})

it('a narrow terminal cuts descriptions, never names, and else shows a paragraph for each row', () => {
  const columns = [
    { title: { en: 'MODEL', zh: '模型' } },
    { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
    { title: { en: 'WHAT IT IS', zh: '说明' }, mayCut: true },
  ] as const
  const rows = [
    ['deepseek-r1:7b', '4.7 GB', 'a model tuned on the answers of another one'],
    ['x', '1 B', '以 DeepSeek-R1 的回答微调的模型，并非其本身'],
  ]
  for (const language of ['en', 'zh'] as const) {
    const cut = tableLines(columns, rows, language, 50)
    expect(cut).toHaveLength(3)
    expect(cut[1]).toContain('…')
    expect(cut[1]).toContain('deepseek-r1:7b')
    for (const line of cut) expect(textWidth(line)).toBeLessThanOrEqual(50)
    const paragraphs = tableLines(columns, rows, language, 36)
    expect(paragraphs[0]).toBe('deepseek-r1:7b')
    expect(paragraphs.join(' ').replace(/\s+/g, ' ')).toContain('a model tuned on the answers of another one'.slice(0, 13))
    for (const line of paragraphs) expect(textWidth(line)).toBeLessThanOrEqual(36)
    expect(paragraphs.join('')).not.toContain('…')
  }
  expect(tableLines(columns, rows, 'en')[1]).toContain('answers of another one')
})

it('wrapping loses nothing, and breaks words only where Chinese may be broken', () => {
  const text = 'Qwen 模型以 DeepSeek-R1 的回答微调，并非 DeepSeek-R1 本身；https://example.test/a/very/long/address/that/is/copied'
  for (const width of [8, 20, 33]) {
    const lines = wrapToWidth(text, width)
    expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
    expect(lines).toContainEqual(expect.stringContaining('https://example.test/a/very/long/address/that/is/copied'))
    expect(lines.some((line) => /^[，；]/.test(line))).toBe(false)
  }
})
