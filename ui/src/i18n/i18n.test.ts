import { describe, expect, it } from 'vitest'
import { en } from './en.ts'
import { createFormat } from './format.ts'
import { detectLanguage } from './i18n.ts'
import { zh } from './zh.ts'

type Tree = { [key: string]: string | Tree }

function leaves(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${path}${key}`, value] as [string, string]] : leaves(value, `${path}${key}.`),
  )
}

const names = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name).toSorted()

describe('the dictionaries', () => {
  const english = leaves(en)
  const chinese = new Map(leaves(zh))

  it('have the same keys', () => {
    expect([...chinese.keys()].toSorted()).toEqual(english.map(([key]) => key).toSorted())
  })

  it('have the same placeholders in every text', () => {
    for (const [key, text] of english) expect([key, names(chinese.get(key) ?? '')]).toEqual([key, names(text)])
  })

  it('are translated', () => {
    const same = english.filter(([key, text]) => chinese.get(key) === text && /[a-z]{4}/i.test(text.replace(/\{\{\w+\}\}/g, '')))
    expect(same.map(([key]) => key)).toEqual(['models.referencePlaceholder'])
  })
})

describe('detectLanguage', () => {
  it('prefers the choice, then the browser, then English', () => {
    expect([
      detectLanguage('zh', 'en-US'),
      detectLanguage('en', 'zh-CN'),
      detectLanguage(undefined, 'zh-TW'),
      detectLanguage(undefined, 'fr'),
    ]).toEqual(['zh', 'en', 'zh', 'en'])
  })
})

describe('createFormat', () => {
  const format = createFormat('en', (key, { amount }) => `${amount} ${key.slice('unit.'.length)}`)

  it('writes durations in at most two units', () => {
    expect([340, 1240, 12_400, 185_000, 3_600_000, 7_800_000, 180_000_000].map((value) => format.duration(value))).toEqual([
      '340 millisecond',
      '1.2 second',
      '12 second',
      '3 minute 5 second',
      '1 hour',
      '2 hour 10 minute',
      '2 day 2 hour',
    ])
  })

  it('writes sizes in units of a thousand', () => {
    expect([0, 999, 1_500, 98_400_000, 1_117_000_000].map((value) => format.bytes(value))).toEqual([
      '0 B',
      '999 B',
      '1.5 kB',
      '98 MB',
      '1.1 GB',
    ])
  })

  it('writes places in line', () => {
    expect([1, 2, 3, 4, 11, 22].map((value) => format.ordinal(value))).toEqual(['1st', '2nd', '3rd', '4th', '11th', '22nd'])
  })
})
