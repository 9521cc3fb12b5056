/** Pulling and creating, as Ollama's clients follow them: a line a change. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Pull } from '../../shared/api.ts'
import type { OllamaProgress } from '../../shared/ollama/replies.ts'
import { OllamaCreateRequestSchema, type OllamaCreateRequest } from '../../shared/ollama/requests.ts'
import { ignoredFields, parseBody, refuseFields, type RefusedField } from './request-fields.ts'
import type { WireError } from '../../shared/generate.ts'

/** Lines for the states of one pull; each file is told again only when it has grown. */
export function createPullLines(): (pull: Pull) => OllamaProgress[] {
  const told = new Map<string, number>()
  return (pull) => {
    switch (pull.state) {
      case 'waiting':
      case 'resolving':
        return [{ status: 'pulling manifest' }]
      case 'downloading':
        return fileLines(pull, told)
      case 'verifying':
        return [...fileLines(pull, told), { status: 'verifying sha256 digest' }]
      case 'paused':
        return [{ status: 'paused' }]
      case 'done':
        return [{ status: 'writing manifest' }, { status: 'success' }]
      case 'failed':
      case 'cancelled':
        return []
    }
  }
}

function fileLines({ files, file, reference, doneBytes, totalBytes }: Pull, told: Map<string, number>): OllamaProgress[] {
  const all = files && files.length > 0 ? files : [{ path: file ?? reference, doneBytes, totalBytes }]
  const grown = all.filter((one) => told.get(one.path) !== one.doneBytes)
  for (const one of grown) told.set(one.path, one.doneBytes)
  return grown.map((one) => ({
    status: `pulling ${one.path}`,
    digest: one.path,
    ...(one.totalBytes > 0 ? { total: one.totalBytes, completed: Math.min(one.doneBytes, one.totalBytes) } : {}),
  }))
}

/** Why a pull ended without its model. */
export function pullFailure({ state, error }: Pull): WireError | undefined {
  if (state === 'failed') return error ?? { code: 'internal', data: { reason: 'the download failed' }, message: '' }
  return state === 'cancelled' ? { code: 'cancelled', data: {}, message: '' } : undefined
}

export interface OllamaCreation {
  name: string
  source: { from: string } | { files: { name: string; sha256: string }[] }
  license?: string
  stream: boolean
  ignored: string[]
}

const OWN_TEMPLATE = 'the model keeps what its file says; send it with each request instead'
const isEmpty = (value: unknown): boolean =>
  value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
const refused = (reason: string): RefusedField => ({ reason, harmless: isEmpty })
const REFUSED: Readonly<Record<string, RefusedField>> = {
  template: refused('the model keeps the chat template of its file; send finished prompts with "raw": true instead'),
  system: refused(OWN_TEMPLATE),
  parameters: refused(OWN_TEMPLATE),
  messages: refused(OWN_TEMPLATE),
  adapters: refused('adapters cannot be added; merge them into the model before'),
  quantize: refused('files are taken as they are; choose one that is quantised already'),
  quantization: refused('files are taken as they are; choose one that is quantised already'),
  renderer: refused("the model's own format is used"),
  parser: refused("the model's own format is used"),
  draft_files: refused('there are no draft models here'),
  draft_quantize: refused('there are no draft models here'),
  remote_host: refused('the model must lie on this machine'),
  info: refused('the model keeps what its file says'),
  modelfile: refused('send "from" or "files"'),
  path: refused('send "from" or "files"'),
}

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseOllamaCreate(body: unknown): OllamaCreation {
  const call = parseBody(OllamaCreateRequestSchema, body)
  refuseFields(call, REFUSED)
  const license = Array.isArray(call.license) ? call.license.join('\n') : call.license
  return {
    name: modelField(call),
    source: sourceOf(call),
    ...(license ? { license } : {}),
    stream: call.stream ?? true,
    ignored: ignoredFields(call, OllamaCreateRequestSchema.shape).filter((field) => !Object.hasOwn(REFUSED, field)),
  }
}

/** `name` is the old word. Throws `invalid-field`. */
export function modelField({ model, name }: { model?: string | null | undefined; name?: string | null | undefined }): string {
  const found = model || name
  if (found) return found
  throw new AppError('invalid-field', { field: 'model', reason: 'the name of a model is required' })
}

function sourceOf({ from, files }: OllamaCreateRequest): OllamaCreation['source'] {
  const named = Object.entries(files ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (from && named.length > 0) throw new AppError('invalid-field', { field: 'files', reason: 'it cannot be used together with "from"' })
  if (from) return { from }
  if (named.length === 0) throw new AppError('invalid-field', { field: 'from', reason: 'neither "from" nor "files" was given' })
  return { files: named.map(([name, digest]) => ({ name: fileNameOf(name), sha256: sha256Of(digest, `files.${name}`) })) }
}

/** It becomes a name in a folder of ours. */
function fileNameOf(name: string): string {
  if (/^[\w][\w.+ -]{0,199}\.gguf$/i.test(name)) return name
  throw new AppError('unsupported-field', { field: `files.${name.slice(0, 100)}`, reason: 'only GGUF files, without a folder' })
}

/** The hexadecimal digits of `sha256:…`; `-` is their form in file names. Throws `invalid-field`. */
export function sha256Of(digest: string, field: string): string {
  const found = /^sha256[:-]([0-9a-f]{64})$/.exec(digest)?.[1]
  if (found === undefined) throw new AppError('invalid-field', { field, reason: 'expected sha256: and 64 hexadecimal digits' })
  return found
}
