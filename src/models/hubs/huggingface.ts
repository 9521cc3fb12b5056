/** Hugging Face, and whatever speaks its API (mirrors). https://huggingface.co/docs/hub/api */
import { z } from 'zod'

import type { Reference } from '../reference.ts'
import { formatReference } from '../reference.ts'
import { chooseGguf } from './choose-file.ts'
import { askHub, SourceMiss } from './failures.ts'
import type { FileSourceUrl, ResolvedModel, SourceContext } from './source.ts'

export type HubReference = Extract<Reference, { type: 'hub' }>

export const HF_ENDPOINT = 'https://huggingface.co'
export const HF_MIRROR_ENDPOINT = 'https://hf-mirror.com'

export interface HfEndpoint {
  name: string
  origin: string
  /** Only for the hub that it was made for. */
  token?: string
}

const ModelInfoSchema = z.looseObject({
  id: z.string(),
  sha: z.string(),
  cardData: z
    .looseObject({ license: z.union([z.string(), z.array(z.string())]).optional(), license_name: z.string().optional() })
    .nullish(),
  siblings: z
    .array(
      z.looseObject({
        rfilename: z.string(),
        size: z.number().optional(),
        lfs: z.looseObject({ sha256: z.string().optional(), size: z.number().optional() }).nullish(),
      }),
    )
    .max(50_000),
})

/** The hub of the configuration, then its mirror (unless the hub was chosen by hand). The token goes to the former only. */
export function hfEndpoints(context: Pick<SourceContext, 'env'>): HfEndpoint[] {
  const { hfEndpoint, hfMirror = HF_MIRROR_ENDPOINT, hfToken } = context.env
  const hub: HfEndpoint = {
    name: hfEndpoint ? 'hf-endpoint' : 'huggingface',
    origin: trim(hfEndpoint || HF_ENDPOINT),
    ...(hfToken ? { token: hfToken } : {}),
  }
  const useMirror = hfMirror !== false && (!hfEndpoint || context.env.hfMirror !== undefined)
  return useMirror ? [hub, { name: 'hf-mirror', origin: trim(hfMirror) }] : [hub]
}

export interface HuggingFaceFiles {
  /** The commit. */
  revision: string
  license?: string
  files: { path: string; bytes?: number | undefined; sha256?: string | undefined }[]
}

/** All files of a repository. Throws SourceMiss, `gated-model`. */
export async function listHuggingFace(
  { repository, revision = 'main' }: HubReference,
  endpoint: HfEndpoint,
  context: SourceContext,
): Promise<HuggingFaceFiles> {
  const url = `${endpoint.origin}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`
  const response = await askHub(context, { url, repository, headers: headersFor(endpoint) })
  const parsed = ModelInfoSchema.safeParse(parseJson(await response.text()))
  if (!parsed.success) throw new SourceMiss(`${new URL(url).host} answered something that is not its API`)
  const { sha, siblings } = parsed.data
  const files = siblings.map((file) => ({
    path: file.rfilename,
    bytes: file.lfs?.size ?? file.size,
    sha256: file.lfs?.sha256?.toLowerCase(),
  }))
  return { revision: sha, files, ...optional('license', licenseOf(parsed.data)) }
}

/** Throws SourceMiss, `gated-model`, `invalid-reference`. */
export async function resolveHuggingFace(reference: HubReference, endpoint: HfEndpoint, context: SourceContext): Promise<ResolvedModel> {
  const { revision, license, files } = await listHuggingFace(reference, endpoint, context)
  const choice = chooseGguf(files, reference.text, reference, context.selection)
  return {
    reference: formatReference({
      ...reference,
      ...(reference.file || choice.quantization === undefined ? {} : { quantization: choice.quantization }),
    }),
    source: endpoint.name,
    revision,
    ...optional('license', license),
    files: choice.files.map((file) => ({
      kind: 'download',
      path: file.path,
      ...optional('bytes', file.bytes),
      ...optional('sha256', file.sha256),
      urls: [fileUrl(endpoint, reference.repository, revision, file.path, headersFor(endpoint))],
    })),
  }
}

export function headersFor(endpoint: HfEndpoint): Record<string, string> {
  return endpoint.token ? { authorization: `Bearer ${endpoint.token}` } : {}
}

/** The same file at another endpoint: for a mirror as second source. */
export function fileUrl(
  endpoint: HfEndpoint,
  repository: string,
  revision: string,
  file: string,
  headers: Record<string, string> = {},
): FileSourceUrl {
  const path = file.split('/').map(encodeURIComponent).join('/')
  const url = `${endpoint.origin}/${repository}/resolve/${revision}/${path}`
  return { name: endpoint.name, url, repository, ...(Object.keys(headers).length > 0 ? { headers } : {}) }
}

function licenseOf(info: z.infer<typeof ModelInfoSchema>): string | undefined {
  const { license, license_name: name } = info.cardData ?? {}
  const text = Array.isArray(license) ? license.join(', ') : license
  return text === 'other' && name ? name : text
}

function trim(origin: string): string {
  return origin.replace(/\/+$/, '')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
}
