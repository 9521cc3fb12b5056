import fc from 'fast-check'
import { expect, test } from 'vitest'

import { zipBytes } from '../../test/fakes/zip-bytes.ts'
import { memorySource } from './byte-source.ts'
import { listZip, readZipMember, ZipError } from './zip.ts'

async function unpack(zip: Buffer, index = 0): Promise<Buffer> {
  const source = memorySource(zip)
  const member = (await listZip(source))[index]
  if (!member) throw new Error('no such member')
  const chunks: Buffer[] = []
  for await (const chunk of readZipMember(source, member)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test('members come out as they went in: stored, deflated, zip64, with a comment', async () => {
  const contents = fc.uint8Array({ maxLength: 5000 }).map((data) => Buffer.from(data))
  const options = fc.record({ zip64End: fc.boolean(), comment: fc.constantFrom('', 'hello') })
  await fc.assert(
    fc.asyncProperty(
      fc.array(contents, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('stored' as const, 'deflated' as const),
      fc.boolean(),
      options,
      async (files, method, zip64, end) => {
        const zip = zipBytes(
          files.map((data, index) => ({ name: `dir/file-${index}.gguf`, data, method, zip64 })),
          end,
        )
        expect((await listZip(memorySource(zip))).map(({ name, bytes }) => [name, bytes])).toEqual(
          files.map((data, index) => [`dir/file-${index}.gguf`, data.length]),
        )
        for (const [index, data] of files.entries()) expect((await unpack(zip, index)).equals(data)).toBe(true)
      },
    ),
    { numRuns: 60 },
  )
})

test('a member larger than the buffers arrives whole', async () => {
  const data = Buffer.from(Array.from({ length: 5_000_000 }, (_, index) => (index * 7) & 0xff))
  expect((await unpack(zipBytes([{ name: 'a', data }]))).equals(data)).toBe(true)
})

test('a member that unpacks to more than it claims is stopped', async () => {
  const zip = zipBytes([{ name: 'bomb', data: Buffer.alloc(1_000_000), claimedBytes: 1000 }])
  await expect(unpack(zip)).rejects.toThrow(/longer than it says/)
})

test('something that is no zip is refused', async () => {
  for (const data of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(100_000)])
    await expect(listZip(memorySource(data))).rejects.toThrow(ZipError)
})

test('damage anywhere gives the right bytes or a ZipError', async () => {
  const data = Buffer.from('the quick brown fox '.repeat(40))
  const good = zipBytes([
    { name: 'a', data, zip64: true },
    { name: 'b', data, method: 'stored' },
  ])
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), fc.nat(1), async (at, byte, index) => {
      const bad = Buffer.from(good)
      bad[at] = byte
      try {
        await unpack(bad, index)
      } catch (error) {
        if (error instanceof Error && error.message === 'no such member') return
        expect(error).toBeInstanceOf(ZipError)
      }
    }),
    { numRuns: 1500 },
  )
})
