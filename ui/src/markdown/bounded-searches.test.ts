import remarkParse from 'remark-parse'
import { unified } from 'unified'
import { describe, expect, it } from 'vitest'
import { syntax } from './syntax.ts'

/** The kinds and texts of what a paragraph holds. */
function parse(markdown: string): [string, string][] {
  const tree = unified()
    .use([...syntax.remarkPluginsBefore])
    .use(remarkParse)
    .parse(markdown)
  return tree.children.flatMap((block) =>
    block.type === 'paragraph' ? block.children.map((part): [string, string] => [part.type, 'value' in part ? part.value : '']) : [],
  )
}

describe('bounded searches', () => {
  it('find tags, comments and code spans as CommonMark has them', () => {
    expect(parse('a<br>b <!-- c --> `d` ``e ` f`` <https://g.example>')).toEqual([
      ['text', 'a'],
      ['html', '<br>'],
      ['text', 'b '],
      ['html', '<!-- c -->'],
      ['text', ' '],
      ['inlineCode', 'd'],
      ['text', ' '],
      ['inlineCode', 'e ` f'],
      ['text', ' '],
      ['link', ''],
    ])
  })

  it('go on behind what has no end, and in the next paragraph', () => {
    const text = `${'x <!-- '.repeat(50)}<br> ${'``` '.repeat(2)}\`d\``
    const kinds = ['text', 'html', 'text', 'inlineCode', 'text', 'inlineCode']
    expect(parse(text).map(([kind]) => kind)).toEqual(kinds)
    expect(parse(`${'x <!-- '.repeat(3000)}\n\n${text}`).map(([kind]) => kind)).toEqual(['text', ...kinds])
  })

  it.each([
    ['comments', 'x <!-- ', '<br>'],
    ['backticks', Array.from({ length: 300 }, (_, length) => '`'.repeat(length + 2)).join(' '), ' `d`'],
  ])('give up in a paragraph full of %s without an end: what follows is text', (_, beginning, last) => {
    const text = beginning.repeat(3000).slice(0, 60_000) + last
    expect(parse(text)).toEqual([['text', text]])
  })
})
