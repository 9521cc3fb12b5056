/** An uploaded form with one file, read as it arrives. */
import { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import { AppError } from '../shared/errors.ts'
import { deferred } from '../base/async.ts'

export interface UploadedForm {
  filename: string
  content: AsyncIterable<Uint8Array>
  /** The other fields; complete once the content has been read to its end. */
  fields: ReadonlyMap<string, string>
  /** Resolves when the whole form has been read. Throws `invalid-request`. */
  end: Promise<void>
}

const LIMITS = { fields: 16, fieldSize: 64 * 1024, fieldNameSize: 256, files: 1, parts: 20, headerPairs: 32, headerSize: 16 * 1024 }

/** Throws `unsupported-media-type`, `invalid-request`, and `invalid-field` when there is no file called `name`. */
export async function readForm(request: Request, name: string): Promise<UploadedForm> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^multipart\/form-data\s*;/i.test(type))
    throw new AppError('invalid-request', { reason: 'expected a multipart/form-data body with a file' })
  if (!request.body) throw new AppError('invalid-request', { reason: 'the body is empty' })
  const parser = createParser(type)
  const source = Readable.fromWeb(request.body as Parameters<typeof Readable.fromWeb>[0])
  const fields = new Map<string, string>()
  const file = deferred<{ filename: string; content: Readable }>()
  const end = deferred<void>()
  const contents: Readable[] = []
  /** Whatever breaks off, all that somebody may be waiting for ends. */
  const fail = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error)
    const failure = new AppError('invalid-request', { reason: `the form cannot be read (${reason})` })
    file.reject(failure)
    end.reject(failure)
    for (const content of contents) content.destroy(failure)
    source.destroy()
  }
  end.promise.catch(() => {})
  file.promise.catch(() => {})
  source.on('error', fail)
  parser.on('error', fail)
  parser.on('field', (field: string, value: string) => void fields.set(field, value))
  parser.on('file', (field, content, filename) => {
    contents.push(content)
    // Without a listener, a form that breaks off would end the process.
    content.on('error', fail)
    // A reader who has had enough reads no further.
    content.on('close', () => content.readableEnded || fail(new Error('it was not read to its end')))
    if (field === name) file.resolve({ filename, content })
    // A stream that nobody reads would hold up the rest.
    else content.resume()
  })
  parser.on('finish', () => {
    file.reject(new AppError('invalid-field', { field: name, reason: 'expected a file' }))
    end.resolve()
  })
  source.pipe(parser)
  return { ...(await file.promise), fields, end: end.promise }
}

function createParser(type: string): Busboy {
  try {
    return new Busboy({
      headers: { 'content-type': type },
      limits: LIMITS,
      isPartAFile: (_field, _type, filename) => filename !== undefined,
    })
  } catch (error) {
    throw new AppError('invalid-request', { reason: error instanceof Error ? error.message : String(error) })
  }
}
