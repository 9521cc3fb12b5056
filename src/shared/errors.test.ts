import { describe, expect, it } from 'vitest'
import { engineErrors } from './error-tables/engine-errors.ts'
import { modelErrors } from './error-tables/model-errors.ts'
import { recordErrors } from './error-tables/record-errors.ts'
import { requestErrors } from './error-tables/request-errors.ts'
import { ERROR_CODES, errorEntry } from './errors.ts'

const PLACES = /\{(\w+)\}/g
const places = (text: string): string[] => [...text.matchAll(PLACES)].map(([, name]) => name ?? '').toSorted()

describe('the table of errors', () => {
  it('has each code once', () => {
    const codes = [requestErrors, modelErrors, engineErrors, recordErrors].flatMap((table) => Object.keys(table))
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
  })

  it.each(ERROR_CODES)('%s says the same in both languages', (code) => {
    const { message, hint } = errorEntry(code)
    expect([...new Set(places(message.zh))]).toEqual([...new Set(places(message.en))])
    expect([...new Set(places(hint?.zh ?? ''))]).toEqual([...new Set(places(hint?.en ?? ''))])
  })
})
