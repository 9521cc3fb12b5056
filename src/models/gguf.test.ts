import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ggufBytes, tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { AppError } from '../shared/errors.ts'
import { memorySource } from './byte-source.ts'
import type { ByteSource } from './byte-source.ts'
import { parseGguf, readGgufHeader } from './gguf.ts'
import type { GgufHeader, GgufLimits } from './gguf.ts'
import { factsOf } from './model-facts.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-gguf-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const parse = (data: Uint8Array, limits?: Partial<GgufLimits>): Promise<GgufHeader> => parseGguf(memorySource(data), 'x.gguf', limits)

test('metadata and tensors are read as they were written', async () => {
  const header = await parse(
    ggufBytes({
      metadata: {
        'general.architecture': { type: 'string', value: 'llama' },
        count: { type: 'u32', value: 7 },
        minus: { type: 'i32', value: -7 },
        half: { type: 'f32', value: 0.5 },
        yes: { type: 'bool', value: true },
        large: { type: 'u64', value: 2n ** 63n },
        words: { type: 'strings', value: ['a', '深'] },
        numbers: { type: 'u32s', value: [1, 2, 3] },
      },
      tensors: [
        { name: 'a', shape: [32, 3] },
        { name: 'b', shape: [64], type: 8, bytes: 68 },
      ],
    }),
  )
  expect(Object.fromEntries(header.metadata)).toEqual({
    'general.architecture': 'llama',
    count: 7,
    minus: -7,
    half: 0.5,
    yes: true,
    large: 2n ** 63n,
    words: { elementType: 'string', length: 2, values: ['a', '深'] },
    numbers: { elementType: 'u32', length: 3, values: [1, 2, 3] },
  })
  expect(header.tensors.map(({ name, shape, type, offset, bytes }) => [name, shape, type.name, offset, bytes])).toEqual([
    ['a', [32, 3], 'F32', 0, 384],
    ['b', [64], 'Q8_0', 384, 68],
  ])
  expect(header.dataOffset % 32).toBe(0)
})

describe('what is not a usable GGUF is named', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['an empty file', Buffer.alloc(0), /empty/],
    ['a GGML file of 2023', Buffer.from('tjgg\u0003\0\0\0more'), /old GGML format/],
    ['a big-endian file', Buffer.from('GGUF\0\0\0\u0003aaaaaaaaaaaaaaaa'), /big-endian/],
    ['version 1', ggufBytes({ version: 1 }), /version 1/],
    ['a version of the future', ggufBytes({ version: 9 }), /version 9/],
    ['a git-lfs pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3'), /git-lfs pointer/],
    ['a web page', Buffer.from('<!DOCTYPE html><html>'), /web page/],
    ['a zip', Buffer.from('PK\u0003\u0004rest of it'), /zip archive/],
    ['safetensors', Buffer.from('\u0040\0\0\0\0\0\0\0{"a":1}'), /safetensors/],
    ['something else', Buffer.from('hello world'), /68 65 6c 6c/],
    ['a huge number of tensors', ggufBytes({ tensorCount: 2n ** 60n }), /tensors/],
    ['a huge number of metadata entries', ggufBytes({ metadataCount: 2n ** 62n }), /metadata entries/],
    ['more metadata than there is', ggufBytes({ metadataCount: 5n }), /truncated|ends/],
    ['a tensor of five dimensions', ggufBytes({ tensors: [{ name: 'a', shape: [1, 1, 1, 1, 1] }] }), /5 dimensions/],
    ['an unknown tensor type', ggufBytes({ tensors: [{ name: 'a', shape: [32], type: 99 }] }), /unknown type 99/],
    ['a removed tensor type', ggufBytes({ tensors: [{ name: 'a', shape: [32], type: 31 }] }), /unknown type 31/],
    ['rows that are no whole blocks', ggufBytes({ tensors: [{ name: 'a', shape: [31], type: 8 }] }), /multiple of 32/],
    ['a shape that overflows', ggufBytes({ tensors: [{ name: 'a', shape: [2 ** 40, 2 ** 40], bytes: 32 }] }), /impossible shape/],
    ['a shape with zero', ggufBytes({ tensors: [{ name: 'a', shape: [0, 5] }] }), /impossible shape/],
    ['a tensor far outside', ggufBytes({ tensors: [{ name: 'a', shape: [32], offset: 4096 }] }), /lies at 4096/],
    [
      'tensors that overlap',
      ggufBytes({
        tensors: [
          { name: 'a', shape: [32] },
          { name: 'b', shape: [32], offset: 0 },
        ],
      }),
      /lies at 0/,
    ],
    [
      'a tensor twice',
      ggufBytes({
        tensors: [
          { name: 'a', shape: [8] },
          { name: 'a', shape: [8] },
        ],
      }),
      /occurs twice/,
    ],
    ['missing tensor data', ggufBytes({ tensors: [{ name: 'a', shape: [1024] }], headerOnly: true }), /truncated/],
    ['a strange alignment', ggufBytes({ metadata: { 'general.alignment': { type: 'u32', value: 33 } } }), /alignment is 33/],
    ['a tensor name that is too long', ggufBytes({ tensors: [{ name: 'a'.repeat(64), shape: [8] }] }), /claims 64 bytes/],
  ]
  test.each(cases)('%s', async (_, data, message) => {
    const refused = parse(data)
    await expect(refused).rejects.toMatchObject({ code: 'invalid-model-file' })
    await expect(refused).rejects.toThrow(message)
  })

  test('strings and lists that claim more than the file holds', async () => {
    const lie = (bytes: Buffer, at: number): Buffer => {
      bytes.writeBigUInt64LE(2n ** 40n, at)
      return bytes
    }
    const string = ggufBytes({ metadata: { k: { type: 'string', value: 'v' } } })
    await expect(parse(lie(string, 24 + 9 + 4))).rejects.toThrow(/claims 1099511627776 bytes/)
    const list = ggufBytes({ metadata: { k: { type: 'u32s', value: [1] } } })
    await expect(parse(lie(list, 24 + 9 + 8))).rejects.toThrow(/claims 1099511627776 elements/)
  })

  test('a file that is not there, and a folder', async () => {
    await expect(readGgufHeader(path.join(folder, 'none.gguf'))).rejects.toMatchObject({ code: 'file-not-found' })
    await expect(readGgufHeader(folder)).rejects.toMatchObject({ code: 'invalid-model-file' })
  })

  test('every truncation of a good file', async () => {
    const data = tinyModelBytes()
    const file = path.join(folder, 'cut.gguf')
    for (let length = data.length - 1; length > 0; length -= 97) {
      await writeFile(file, data)
      await truncate(file, length)
      await expect(readGgufHeader(file)).rejects.toMatchObject({ code: 'invalid-model-file' })
    }
  })
})

test('control characters in a file never reach the message', async () => {
  const data = ggufBytes({ tensors: [{ name: 'a\u001b[31m\n', shape: [32], type: 99 }] })
  await expect(parse(data)).rejects.toThrow(/"a\?\[31m\?"/)
})

test('random damage gives a header or an AppError, quickly, and facts that are numbers', async () => {
  const good = tinyModelBytes({ vocabulary: 40 })
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(good.length), async (edits, cut) => {
      const data = Buffer.from(good.subarray(0, good.length - (cut % 7 === 0 ? cut : 0)))
      for (const [at, byte] of edits) if (at < data.length) data[at] = byte
      try {
        const facts = factsOf(await parse(data))
        for (const value of [facts.parameters, facts.weightBytes, facts.layers, facts.kvBytesPerToken('q8_0')])
          expect(value).toBeGreaterThanOrEqual(0)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        expect(error.code).toBe('invalid-model-file')
      }
    }),
    { numRuns: 3000 },
  )
})

test('a vocabulary of 150,000 words is skipped, not kept, in bounded reads', async () => {
  const words = Array.from({ length: 151_936 }, (_, index) => `word-${index}`)
  const data = ggufBytes({
    metadata: {
      'general.architecture': { type: 'string', value: 'qwen2' },
      'tokenizer.ggml.tokens': { type: 'strings', value: words },
      'tokenizer.ggml.merges': { type: 'strings', value: words },
      'tokenizer.ggml.token_type': { type: 'u32s', value: words.map((_, index) => index) },
    },
    tensors: [{ name: 'a', shape: [1024, 1024] }],
  })
  let longest = 0
  let read = 0
  const memory = memorySource(data)
  const source: ByteSource = {
    bytes: memory.bytes,
    read: (offset, length) => {
      longest = Math.max(longest, length)
      read += length
      return memory.read(offset, length)
    },
  }
  const header = await parseGguf(source, 'x.gguf')
  expect(header.metadata.get('tokenizer.ggml.tokens')).toEqual({ elementType: 'string', length: 151_936 })
  expect(longest).toBeLessThanOrEqual(256 * 1024)
  expect(read).toBeLessThan(data.length - 1024 * 1024)
})
