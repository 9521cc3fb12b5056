import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../shared/errors.ts'
import { readForm } from './multipart.ts'

const TYPE = 'multipart/form-data; boundary=x'
const pieces = fc.constantFrom(
  '--x\r\n',
  '--x--\r\n',
  '\r\n',
  'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n',
  'Content-Disposition: form-data; name="other"; filename="b"\r\n\r\n',
  'Content-Disposition: form-data; name="purpose"\r\n\r\nbatch',
  'Content-Disposition: form-data; name="__proto__"\r\n\r\nx',
  'Content-Type: text/html\r\n',
  'bytes',
  '\u0000\r\n--',
)

function request(body: string, chunk: number): Request {
  const bytes = Buffer.from(body)
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let from = 0; from < bytes.length; from += chunk) controller.enqueue(bytes.subarray(from, from + chunk))
      controller.close()
    },
  })
  return new Request('http://localhost/', {
    method: 'POST',
    body: stream,
    headers: { 'content-type': TYPE },
    duplex: 'half',
  } as RequestInit)
}

async function read(body: string, chunk = 7): Promise<{ content: string; fields: Record<string, string> }> {
  const form = await readForm(request(body, chunk), 'file')
  const parts: Uint8Array[] = []
  for await (const part of form.content) parts.push(part)
  return { content: Buffer.concat(parts).toString(), fields: Object.fromEntries(form.fields) }
}

test('anything is a form or an error, and never hangs or breaks the process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), fc.integer({ min: 1, max: 64 }), async (parts, chunk) => {
      const result = await read(parts.join(''), chunk).catch((error: unknown) => error)
      return !(result instanceof Error) || result instanceof AppError
    }),
    { numRuns: 1000 },
  )
  await expect(read('')).rejects.toMatchObject({ code: 'invalid-request' })
})

test('any bytes come through in any pieces, boundaries that are none included', async () => {
  const content = fc
    .array(fc.constantFrom('\r', '\n', '\r\n', '-', '--', '--x', '\r\n--y', 'z', '\u0000'), { maxLength: 40 })
    .map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(content, fc.integer({ min: 1, max: 9 }), async (text, chunk) => {
      fc.pre(!`\r\n${text}`.includes('\r\n--x'))
      const body = `--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n${text}\r\n--x--\r\n`
      return (await read(body, chunk)).content === text
    }),
    { numRuns: 500 },
  )
  expect((await read('--x\r\ncontent-disposition: form-data; name=file; filename=f\r\n\r\na\r\n--x--')).content).toBe('a')
})

test('fields are known at the end, before and after the file', async () => {
  const part = (head: string, body: string): string => `--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`
  const body = `${part('name="a"', '1')}${part('name="file"; filename="f"', 'the file')}${part('name="b"', '2')}--x--\r\n`
  expect(await read(body)).toEqual({ content: 'the file', fields: { a: '1', b: '2' } })
})

test('a reader who leaves ends the form', async () => {
  const body = `--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n${'y'.repeat(200_000)}\r\n--x--\r\n`
  const form = await readForm(request(body, 1000), 'file')
  for await (const part of form.content) {
    expect(part.length).toBeGreaterThan(0)
    break
  }
  expect(await form.content.next()).toMatchObject({ done: true })
})
