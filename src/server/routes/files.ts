import { Hono } from 'hono'
import { Readable } from 'node:stream'
import { AppError } from '../../shared/errors.ts'
import { ExpirySchema, UPLOAD_PURPOSES, type DeletedFile } from '../../shared/files-batches.ts'
import type { NewFile } from '../../platform/files.ts'
import { fileList, wireFile } from '../dialects/openai-files-batches.ts'
import { readForm, type UploadedForm } from '../multipart.ts'
import type { RouteContext } from '../route-context.ts'
import { listQuery } from './list-query.ts'

/** `/v1/files` */
export function fileRoutes({ platform }: RouteContext): Hono {
  const { files } = platform.records
  return new Hono()
    .post('/v1/files', async (c) => {
      const length = Number(c.req.header('content-length') ?? 0)
      // Some room for the form around it; what really arrives is counted as well.
      if (length > files.limit + 1024 * 1024) throw new AppError('request-too-large', { limit: files.limit })
      const form = await readForm(c.req.raw, 'file')
      const file = await files.create(form.content, () => newFile(form))
      return c.json(wireFile(file))
    })
    .get('/v1/files', async (c) => {
      const purpose = c.req.query('purpose')
      const page = await files.list({ ...listQuery(c, { usual: 10_000, highest: 10_000 }), ...(purpose ? { purpose } : {}) })
      return c.json(fileList(page.data, page.hasMore))
    })
    .get('/v1/files/:id', async (c) => c.json(wireFile(await files.get(c.req.param('id')))))
    .get('/v1/files/:id/content', async (c) => {
      const { file, stream } = await files.content(c.req.param('id'))
      c.header('content-type', 'application/octet-stream')
      c.header('content-length', String(file.bytes))
      // An uploaded page must never be opened as one of ours.
      c.header(
        'content-disposition',
        `attachment; filename*=UTF-8''${encodeURIComponent(file.filename).replace(/['()*]/g, escapeCharacter)}`,
      )
      if (c.req.method === 'HEAD') {
        stream.destroy()
        return c.body(null)
      }
      return c.body(Readable.toWeb(stream) as ReadableStream<Uint8Array>)
    })
    .delete('/v1/files/:id', async (c) => {
      const id = c.req.param('id')
      await files.delete(id)
      return c.json({ id, object: 'file', deleted: true } satisfies DeletedFile)
    })
}

/** Throws `invalid-field`. */
function newFile({ filename, fields }: UploadedForm): NewFile {
  const purpose = fields.get('purpose')
  const known = UPLOAD_PURPOSES.find((one) => one === purpose)
  if (!known) throw new AppError('invalid-field', { field: 'purpose', reason: `expected one of ${UPLOAD_PURPOSES.join(', ')}` })
  const expiresAfter = expiryOf(fields)
  return { filename: harmlessName(filename), purpose: known, ...(expiresAfter === undefined ? {} : { expiresAfter }) }
}

/** `expires_after[anchor]` and `expires_after[seconds]`, as OpenAI's clients write them, or one JSON field. */
function expiryOf(fields: ReadonlyMap<string, string>): number | undefined {
  const [anchor, seconds, json] = [fields.get('expires_after[anchor]'), fields.get('expires_after[seconds]'), fields.get('expires_after')]
  if (anchor === undefined && seconds === undefined && json === undefined) return undefined
  const result = ExpirySchema.safeParse(json === undefined ? { anchor, seconds: Number(seconds) } : parsed(json))
  if (result.success) return result.data.seconds
  throw new AppError('invalid-field', { field: 'expires_after', reason: 'expected anchor "created_at" and 3600 to 2592000 seconds' })
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** Only shown, never a path of ours; still without folders and control characters. */
function harmlessName(filename: string): string {
  // By code points: half a character could not be written into a header.
  const characters = [...(filename.split(/[/\\]/).at(-1) ?? '')].filter((character) => character >= ' ' && character !== '\u007F')
  return characters.slice(0, 255).join('') || 'file'
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
