/** An uploaded form with one file (RFC 7578), read as it arrives: pulled by whoever reads the file, so that nothing piles up and nothing is left hanging. */
import { AppError } from '../shared/errors.ts'
import { ByteReader } from './byte-reader.ts'

export interface UploadedForm {
  filename: string
  /** At its end the whole form has been read. Throws `invalid-request` when that breaks off. */
  content: AsyncGenerator<Uint8Array>
  /** The other fields; complete once the content has been read. */
  fields: ReadonlyMap<string, string>
}

const MAX_PARTS = 32
const MAX_HEADER = 16 * 1024
const MAX_FIELD = 64 * 1024

/** Throws `unsupported-media-type`, `invalid-request`, and `invalid-field` when there is no file called `name`. */
export async function readForm(request: Request, name: string): Promise<UploadedForm> {
  const boundary = boundaryOf(request.headers.get('content-type') ?? '')
  if (!request.body) throw invalid('the body is empty')
  const reader = new ByteReader(request.body)
  const fields = new Map<string, string>()
  const parts = readParts(reader, boundary, fields, name)
  const first = await parts.next()
  if (first.done) throw new AppError('invalid-field', { field: name, reason: 'expected a file' })
  return { filename: first.value.filename, content: wholeForm(first.value.content, parts, reader), fields }
}

interface FilePart {
  filename: string
  content: AsyncGenerator<Uint8Array>
}

async function* wholeForm(
  content: AsyncGenerator<Uint8Array>,
  parts: AsyncGenerator<FilePart>,
  reader: ByteReader,
): AsyncGenerator<Uint8Array> {
  try {
    yield* content
    for await (const _ of parts) throw invalid('it has more than one file')
  } finally {
    await reader.cancel()
  }
}

/** The files called `name`; the fields between them are put into the map. */
async function* readParts(reader: ByteReader, boundary: string, fields: Map<string, string>, name: string): AsyncGenerator<FilePart> {
  // The first boundary may stand at the very beginning, without a line end before it.
  reader.unread(Buffer.from('\r\n'))
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  await skip(reader.until(delimiter))
  for (let count = 0; ; count++) {
    const tail = await reader.take(2)
    if (tail.toString('latin1') === '--') return await skip(reader.rest())
    if (tail.toString('latin1') !== '\r\n') throw invalid('a boundary is not followed by a line end')
    if (count === MAX_PARTS) throw invalid(`it has more than ${MAX_PARTS} parts`)
    // A part without headers begins with the empty line at once.
    reader.unread(Buffer.from('\r\n'))
    const head = (await collected(reader.until(Buffer.from('\r\n\r\n')), MAX_HEADER, 'the headers of a part')).toString('utf8')
    const { field, filename } = dispositionOf(head)
    const content = reader.until(delimiter)
    if (filename === undefined) {
      const value = (await collected(content, MAX_FIELD, `the field "${field}"`)).toString('utf8')
      fields.set(field, value)
    } else if (field === name) {
      yield { filename, content }
    } else {
      await skip(content)
    }
  }
}

/** `multipart/form-data; boundary=…`, quoted or not (RFC 2046, 5.1.1). */
function boundaryOf(type: string): string {
  if (type === '') throw invalid('expected multipart/form-data with a file')
  if (!/^multipart\/form-data\s*(?:;|$)/i.test(type))
    throw new AppError('unsupported-media-type', { type, expected: 'multipart/form-data' })
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(type)
  const boundary = match?.[1] ?? match?.[2]
  if (boundary === undefined) throw invalid('its boundary is missing')
  return boundary
}

/** Browsers and fetch write `"` as `%22`, others as `\"`; `filename*` (RFC 5987) is the exact one where there is one. */
function dispositionOf(head: string): { field: string; filename?: string } {
  const line = head.split('\r\n').find((one) => /^content-disposition\s*:/i.test(one))
  const field = line && parameterOf(line, 'name')
  if (!line || field === undefined) throw invalid('a part has no name')
  const exact = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(line)?.[1]
  const filename = (exact === undefined ? undefined : decoded(exact)) ?? parameterOf(line, 'filename')
  return { field, ...(filename === undefined ? {} : { filename }) }
}

function parameterOf(line: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, 'i').exec(line)
  return match?.[1]?.replace(/\\(["\\])/g, '$1') ?? match?.[2]
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

async function collected(pieces: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Buffer> {
  const all: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.byteLength
    if (bytes > limit) throw invalid(`${what} is longer than ${limit} bytes`)
    all.push(piece)
  }
  return Buffer.concat(all)
}

async function skip(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of pieces);
}

function invalid(reason: string): AppError {
  return new AppError('invalid-request', { reason: `the form cannot be read: ${reason}` })
}
