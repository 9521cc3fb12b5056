import { expect, it } from 'vitest'
import { tableLines } from './output.ts'
import { textWidth } from './text-width.ts'

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
