/** Whatever a person reads exists in both languages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = path.join(import.meta.dirname, '..')
const DOCS = path.join(ROOT, 'docs')

/** For those who work on bendi itself, in English; and one that has both languages in each line. */
const WITHOUT_TWIN: ReadonlySet<string> = new Set(['benchmarks.md', 'dependencies.md', 'glossary.md'])

const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md'))
const english = pages.filter((name) => !name.endsWith('.zh.md') && !WITHOUT_TWIN.has(name))
const twinOf = (name: string): string => name.replace(/\.md$/, '.zh.md')
const read = (name: string): string => readFileSync(path.join(DOCS, name), 'utf8')

/** Headings, rows of tables and code tell whether something was added on one side only. */
function shapeOf(text: string): { headings: number; rows: number; code: string[] } {
  const lines = text.split('\n')
  return {
    headings: lines.filter((line) => line.startsWith('#')).length,
    rows: lines.filter((line) => line.startsWith('|')).length,
    code: [...new Set([...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code))].toSorted(),
  }
}

describe('the pages in docs/', () => {
  it.each(english)('%s has a Chinese twin that says as much', (name) => {
    expect(pages).toContain(twinOf(name))
    expect(shapeOf(read(twinOf(name)))).toEqual(shapeOf(read(name)))
  })

  it('have no Chinese page without its English one', () => {
    expect(pages.filter((name) => name.endsWith('.zh.md') && !pages.includes(name.replace(/\.zh\.md$/, '.md')))).toEqual([])
  })

  it('the glossary has a Chinese word and a Chinese meaning in each row', () => {
    const rows = read('glossary.md')
      .split('\n')
      .filter((line) => line.startsWith('| '))
    for (const row of rows)
      expect(
        row
          .split('|')
          .slice(2, 4)
          .every((cell) => /[\u4e00-\u9fff]/.test(cell)),
      ).toBe(true)
  })
})

describe.each(['README.md', 'README.zh.md'])('%s', (name) => {
  const links = [...readFileSync(path.join(ROOT, name), 'utf8').matchAll(/\]\(((?!https?:)[^)#]+)/g)].map(([, target = '']) => target)

  it('leads to files that exist', () => {
    expect(links.filter((target) => !existsSync(path.join(ROOT, target)))).toEqual([])
  })

  it('leads to pages of its own language', () => {
    const chinese = name.includes('.zh.')
    const twins = links.filter((target) => target.startsWith('docs/') && pages.includes(twinOf(path.basename(target))))
    expect(chinese ? twins : links.filter((target) => target.startsWith('docs/') && target.endsWith('.zh.md'))).toEqual([])
  })
})
