import { describe, expect, it } from 'vitest'
import { highlight } from './highlight.ts'
import { escapeHtml, splitHighlightedLines } from './split-lines.ts'

describe('splitHighlightedLines', () => {
  it('closes spans at the end of a line and opens them again', () => {
    expect(splitHighlightedLines('<span class="a">1\n<span class="b">2\n3</span></span>4')).toEqual([
      '<span class="a">1</span>',
      '<span class="a"><span class="b">2</span></span>',
      '<span class="a"><span class="b">3</span></span>4',
    ])
  })

  it('gives as many balanced lines as the code has', () => {
    const code = 'const a = `x\ny ${1 + 1}\nz`\n/* one\ntwo */ let b = "<script>"'
    const lines = splitHighlightedLines(highlight(code, 'javascript'))
    expect(lines).toHaveLength(5)
    for (const line of lines) expect(line.match(/<span/g)?.length ?? 0).toBe(line.match(/<\/span>/g)?.length ?? 0)
    expect(lines.join('')).not.toContain('<script>')
  })
})

describe('highlight', () => {
  it('escapes code of an unknown language', () => {
    expect(highlight('<b>&', 'no-such-language')).toBe('&lt;b&gt;&amp;')
    expect(highlight('<b>&', 'no-such-language')).toBe(escapeHtml('<b>&'))
  })
})
