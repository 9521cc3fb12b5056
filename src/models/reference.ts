/** The text that names a model: what it can look like, and its canonical form. */
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { AppError } from '../shared/errors.ts'
import { hubAddress } from './hub-address.ts'

export type Reference =
  /** A short name, e.g. `deepseek-r1:1.5b`; the catalogue says what it stands for. */
  | { type: 'name'; name: string; text: string }
  | { type: 'hub'; hub: 'hf' | 'ms'; repository: string; quantization?: string; file?: string; revision?: string; text: string }
  /** `path` is absolute. */
  | { type: 'file'; path: string; text: string }
  | { type: 'pypi'; project: string; version?: string; text: string }
  | { type: 'https'; url: string; text: string }
  /** A model of another bendi on the LAN. `host` may hold a port. */
  | { type: 'peer'; host: string; name: string; text: string }

const MAX_LENGTH = 4096
const NAME = /^[a-z0-9][a-z0-9._-]*(:[a-z0-9][a-z0-9._-]*)?$/i
/** Hub repositories: owner/name, of letters, digits, `-`, `_`, `.`. */
const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/
const QUANTIZATION = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
const REVISION = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/
/** PEP 508 names. */
const PROJECT = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.+!_-]*$/

/**
 * Reads a reference. Forms:
 * `name[:tag]` · `hf:owner/repo[:QUANT | /file.gguf][@revision]` · `ms:…` (the same) · `owner/repo…` (means hf) ·
 * `file:PATH` or a path that ends in `.gguf` · `pypi:project[@version]` · `https://host/file.gguf` · `peer:host[:port]/name` ·
 * the address of a page of Hugging Face or ModelScope.
 * Throws `invalid-reference`. `cwd` resolves relative paths.
 */
export function parseReference(text: string, cwd: string = process.cwd()): Reference {
  const trimmed = text.trim()
  // Control characters would reach logs, file names and terminals.
  // oxlint-disable-next-line no-control-regex
  if (trimmed === '' || trimmed.length > MAX_LENGTH || /[\u0000-\u001f\u007f]/.test(trimmed))
    throw invalid(text, 'it is empty, too long or has control characters')
  const scheme = /^(hf|ms|file|pypi|https|http|peer):/i.exec(trimmed)?.[1]?.toLowerCase()
  const rest = scheme ? trimmed.slice(scheme.length + 1) : trimmed
  switch (scheme) {
    case 'hf':
    case 'ms':
      return canonical(parseHub(text, scheme, rest))
    case 'file':
      return canonical(parseFile(text, rest, cwd))
    case 'pypi':
      return canonical(parsePypi(text, rest))
    case 'peer':
      return canonical(parsePeer(text, rest))
    case 'https':
    case 'http':
      return canonical(parseWeb(text, trimmed))
    default:
      return canonical(parseBare(text, trimmed, cwd))
  }
}

/** The canonical text: `parseReference(formatReference(x))` equals x. */
export function formatReference(reference: Reference): string {
  switch (reference.type) {
    case 'name':
      return reference.name
    case 'hub': {
      const what = reference.file ? `/${reference.file}` : reference.quantization ? `:${reference.quantization}` : ''
      return `${reference.hub}:${reference.repository}${what}${reference.revision ? `@${reference.revision}` : ''}`
    }
    case 'file':
      return `file:${reference.path}`
    case 'pypi':
      return `pypi:${reference.project}${reference.version ? `@${reference.version}` : ''}`
    case 'https':
      return reference.url
    case 'peer':
      return `peer:${reference.host}/${reference.name}`
  }
}

function canonical(reference: Reference): Reference {
  return { ...reference, text: formatReference(reference) }
}

function parseHub(text: string, hub: 'hf' | 'ms', rest: string): Reference {
  const at = rest.indexOf('@')
  const revision = at < 0 ? undefined : rest.slice(at + 1)
  if (revision !== undefined && !isSafePath(revision, REVISION))
    throw invalid(text, 'the revision after "@" has characters that no revision has')
  const body = at < 0 ? rest : rest.slice(0, at)
  const [owner = '', name = '', ...folders] = body.split('/')
  const colon = name.indexOf(':')
  const repository = `${owner}/${colon < 0 ? name : name.slice(0, colon)}`
  if (!REPOSITORY.test(repository) || repository.includes('..')) throw invalid(text, `${hub}: needs owner/repository`)
  const file = folders.length > 0 ? folders.join('/') : undefined
  const quantization = colon < 0 ? undefined : name.slice(colon + 1)
  if (file !== undefined && (!isSafePath(file, /^[^\\:*?"<>|]+$/) || !/\.gguf$/i.test(file)))
    throw invalid(text, 'the path in the repository must be a .gguf file')
  if (quantization !== undefined && (file !== undefined || !QUANTIZATION.test(quantization)))
    throw invalid(text, 'after ":" comes a quantisation such as Q4_K_M')
  return {
    type: 'hub',
    hub,
    repository,
    ...(quantization === undefined ? {} : { quantization: quantization.toUpperCase() }),
    ...(file === undefined ? {} : { file }),
    ...(revision === undefined ? {} : { revision }),
    text,
  }
}

/** No empty, `.` or `..` parts. */
function isSafePath(value: string, pattern: RegExp): boolean {
  return pattern.test(value) && value.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function parseFile(text: string, rest: string, cwd: string): Reference {
  if (rest === '') throw invalid(text, 'a path is missing')
  return { type: 'file', path: absolutePath(text, rest, cwd), text }
}

function absolutePath(text: string, value: string, cwd: string): string {
  if (/^\/\/(\/|localhost\/)/.test(value)) {
    try {
      return fileURLToPath(`file:${value}`)
    } catch {
      throw invalid(text, 'it is not a file address')
    }
  }
  const home = /^~(?=$|[/\\])/.test(value) ? path.join(os.homedir(), value.slice(1)) : value
  return path.resolve(cwd, home)
}

function parsePypi(text: string, rest: string): Reference {
  const [project = '', version, ...more] = rest.split(/@|==/)
  if (!PROJECT.test(project) || more.length > 0 || (version !== undefined && !VERSION.test(version))) {
    throw invalid(text, 'a package is written pypi:name or pypi:name@version')
  }
  return { type: 'pypi', project: normalizeProject(project), ...(version === undefined ? {} : { version }), text }
}

/** PEP 503: runs of `-`, `_`, `.` are one dash, in lower case. */
export function normalizeProject(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase()
}

const PEER_HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/

function parsePeer(text: string, rest: string): Reference {
  const slash = rest.indexOf('/')
  const host = rest.slice(0, Math.max(0, slash)).toLowerCase()
  const name = rest.slice(slash + 1)
  if (slash < 0 || name === '' || !PEER_HOST.test(host) || !URL.canParse(`http://${host}/`))
    throw invalid(text, 'a model of another bendi is written peer:host/name or peer:host:port/name')
  return { type: 'peer', host, name, text }
}

function parseWeb(text: string, address: string): Reference {
  const onHub = hubAddress(address)
  if (onHub) return parseHub(text, onHub.hub, onHub.rest)
  let url: URL
  try {
    url = new URL(address)
  } catch {
    throw invalid(text, 'it is not an address')
  }
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && !loopback) throw invalid(text, 'only https: addresses (http: is for this machine alone)')
  if (!/\.gguf$/i.test(url.pathname)) throw invalid(text, 'the address must end in .gguf')
  if (url.username !== '' || url.password !== '') throw invalid(text, 'passwords do not belong into addresses')
  return { type: 'https', url: url.href, text }
}

function parseBare(text: string, value: string, cwd: string): Reference {
  const onHub = hubAddress(value)
  if (onHub) return parseHub(text, onHub.hub, onHub.rest)
  if (/\.gguf$/i.test(value) || /^[.~/\\]|^[a-z]:[\\/]/i.test(value)) return parseFile(text, value, cwd)
  if (value.includes('/')) return parseHub(text, 'hf', value)
  if (!NAME.test(value)) throw invalid(text, 'a short name has letters, digits, ".", "-", "_" and one ":"')
  return { type: 'name', name: value.toLowerCase(), text }
}

function invalid(reference: string, reason: string): AppError {
  // oxlint-disable-next-line no-control-regex
  return new AppError('invalid-reference', { reference: reference.slice(0, 200).replace(/[\u0000-\u001f\u007f]/g, '?'), reason })
}
