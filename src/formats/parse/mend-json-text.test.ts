import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withAsciiPunctuation, withWholeEscapes } from './mend-json-text.ts'
import { repairObject, repairedRest } from './repair-json.ts'

describe('backslashes that escape nothing', () => {
  it.each([
    ['{"path": "C:\\Users\\x"}', { path: 'C:\\Users\\x' }],
    ['{"path": "C:\\users"}', { path: 'C:\\users' }],
    ['{"pattern": "\\d+\\.\\w"}', { pattern: '\\d+\\.\\w' }],
    ['{"tex": "\\sigma \\alpha"}', { tex: '\\sigma \\alpha' }],
    [`{'text': 'it\\'s'}`, { text: "it's" }],
  ])('stay in %j', (text, expected) => {
    expect(repairObject(text)).toEqual(expected)
  })

  it('stay where the beginning has been sent', () => {
    const sent = '{"path": "C:'
    expect(JSON.parse(sent + repairedRest(sent, '\\Users\\x"}'))).toEqual({ path: 'C:\\Users\\x' })
  })
})

describe('Chinese punctuation', () => {
  it.each([
    ['{“city”：“北京”}', { city: '北京' }],
    ['{"city"："北京"，"days"：3}', { city: '北京', days: 3 }],
    ['｛"a"：［1，2］｝', { a: [1, 2] }],
    ['{"text": "他说"你好，世界"了"}', { text: '他说"你好，世界"了' }],
    ['{"text": "他说：“你好，世界”"，"n": 1}', { text: '他说：“你好，世界”', n: 1 }],
  ])('stands for its own in %s, and stays inside of texts', (text, expected) => {
    expect(repairObject(text)).toEqual(expected)
  })

  it('stays where the beginning has been sent', () => {
    const sent = '{"city": "北京"'
    expect(JSON.parse(sent + repairedRest(sent, '，"days"：3}'))).toEqual({ city: '北京', days: 3 })
  })
})

it('valid JSON stays as it is', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(withWholeEscapes(text)).toBe(text)
      expect(withAsciiPunctuation(text)).toBe(text)
    }),
  )
})
