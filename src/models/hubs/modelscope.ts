/** ModelScope's own API, as its Python client uses it (modelscope/hub/api.py: repo/files with Recursive; repo with FilePath). */
import { z } from 'zod'

import { formatReference } from '../reference.ts'
import { chooseGguf } from './choose-file.ts'
import { askHub, SourceMiss } from './failures.ts'
import type { HubReference } from './huggingface.ts'
import type { FileSourceUrl, ResolvedModel, SourceContext } from './source.ts'

export const MODELSCOPE_ENDPOINT = 'https://www.modelscope.cn'

const FilesSchema = z.looseObject({
  Code: z.number().optional(),
  Success: z.boolean().optional(),
  Data: z.looseObject({
    Files: z
      .array(
        z.looseObject({
          Path: z.string(),
          Type: z.string().optional(),
          Size: z.number().optional(),
          Sha256: z.string().nullish(),
        }),
      )
      .max(50_000),
    LatestCommitter: z.looseObject({ Id: z.string().optional() }).nullish(),
  }),
})
const InfoSchema = z.looseObject({ Data: z.looseObject({ License: z.string().nullish() }).nullish() })

export interface ModelScopeFiles {
  /** The commit, or the name that was asked for. */
  revision: string
  files: { path: string; bytes?: number | undefined; sha256?: string | null | undefined }[]
}

/** All files of a repository. Throws SourceMiss, `gated-model`. */
export async function listModelScope({ repository, revision = 'master' }: HubReference, context: SourceContext): Promise<ModelScopeFiles> {
  const { api, headers } = apiOf(context.env, repository)
  const query = `Revision=${encodeURIComponent(revision)}`
  const response = await askHub(context, { url: `${api}/repo/files?${query}&Recursive=true`, repository, headers })
  const parsed = FilesSchema.safeParse(parseJson(await response.text()))
  if (!parsed.success || parsed.data.Success === false || (parsed.data.Code ?? 200) !== 200) {
    throw new SourceMiss(`${new URL(api).host} does not have ${repository}`)
  }
  const { Files, LatestCommitter } = parsed.data.Data
  const files = Files.filter((file) => file.Type !== 'tree').map((file) => ({ path: file.Path, bytes: file.Size, sha256: file.Sha256 }))
  // It often leaves the commit empty.
  return { revision: LatestCommitter?.Id || revision, files }
}

function apiOf(env: SourceContext['env'], repository: string): { api: string; headers: Record<string, string> } {
  const origin = (env.modelscopeEndpoint || MODELSCOPE_ENDPOINT).replace(/\/+$/, '')
  const headers = env.modelscopeToken ? { authorization: `Bearer ${env.modelscopeToken}` } : undefined
  return { api: `${origin}/api/v1/models/${repository}`, headers: headers ?? {} }
}

/** Throws SourceMiss, `gated-model`, `invalid-reference`. */
export async function resolveModelScope(reference: HubReference, context: SourceContext): Promise<ResolvedModel> {
  const { repository, revision = 'master' } = reference
  const listing = await listModelScope(reference, context)
  const choice = chooseGguf(listing.files, reference.text, reference, context.selection)
  const { api, headers } = apiOf(context.env, repository)
  const license = await licenseOf(api, context, headers)
  return {
    reference: formatReference({
      ...reference,
      ...(reference.file || choice.quantization === undefined ? {} : { quantization: choice.quantization }),
    }),
    source: 'modelscope',
    revision: listing.revision,
    ...(license === undefined ? {} : { license }),
    files: choice.files.map((file) => ({
      kind: 'download',
      path: file.path,
      ...(file.bytes === undefined ? {} : { bytes: file.bytes }),
      ...(file.sha256 ? { sha256: file.sha256.toLowerCase() } : {}),
      urls: [modelScopeFileUrl(context, repository, revision, file.path)],
    })),
  }
}

/** Where one file is. */
export function modelScopeFileUrl({ env }: Pick<SourceContext, 'env'>, repository: string, revision: string, file: string): FileSourceUrl {
  const origin = (env.modelscopeEndpoint || MODELSCOPE_ENDPOINT).replace(/\/+$/, '')
  const query = `Revision=${encodeURIComponent(revision)}&FilePath=${encodeURIComponent(file)}`
  const headers = env.modelscopeToken ? { headers: { authorization: `Bearer ${env.modelscopeToken}` } } : {}
  return { name: 'modelscope', repository, url: `${origin}/api/v1/models/${repository}/repo?${query}`, ...headers }
}

/** Nice to have: without it the file's own header tells the licence. */
async function licenseOf(api: string, context: SourceContext, headers: Record<string, string>): Promise<string | undefined> {
  try {
    const response = await context.http.request(api, { headers, ...(context.signal ? { signal: context.signal } : {}) })
    const parsed = InfoSchema.safeParse(parseJson(await response.text()))
    return parsed.success ? (parsed.data.Data?.License ?? undefined) || undefined : undefined
  } catch {
    context.signal?.throwIfAborted()
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
