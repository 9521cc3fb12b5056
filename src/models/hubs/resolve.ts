/** Finds a source that has a model: hubs are asked side by side, and the first that has it is taken. */
import { delay } from '../../base/async.ts'
import { AppError } from '../../shared/errors.ts'
import type { Reference } from '../reference.ts'
import { SourceMiss } from './failures.ts'
import { fileUrl, hfEndpoints, resolveHuggingFace } from './huggingface.ts'
import type { HubReference } from './huggingface.ts'
import { resolveHttps } from './https.ts'
import { resolveModelScope } from './modelscope.ts'
import { peersWith, resolvePeer } from './peer.ts'
import { resolvePypi } from './pypi.ts'
import type { ResolvedFile, ResolvedModel, SourceContext } from './source.ts'

/** The references that a source can be asked for. */
export type RemoteReference = Exclude<Reference, { type: 'name' } | { type: 'file' }>

/** After the first answer the others have this long to join as further sources, ms. */
const GRACE_MS = 700

/**
 * Asks for all of `references` (the same model by different ways) at once. What has the same content elsewhere becomes
 * a further address of each file.
 * Throws `source-unreachable` when none answers within `timeoutMs`, `gated-model` and `invalid-reference` when that is the reason.
 */
export async function resolveSources(
  references: readonly RemoteReference[],
  context: SourceContext,
  timeoutMs: number,
): Promise<ResolvedModel> {
  const stop = new AbortController()
  const signal = context.signal ? AbortSignal.any([context.signal, stop.signal]) : stop.signal
  const asking = { ...context, signal }
  const failures: unknown[] = []
  const attempts = references
    .flatMap((reference) => attemptsFor(reference, asking))
    .map(async (attempt) => {
      try {
        return await attempt()
      } catch (error) {
        failures.push(error)
        throw error
      }
    })
  const elsewhere = references.flatMap((reference) => otherHubs(reference, asking)).map((attempt) => attempt())
  // They may fail before anybody waits for them.
  for (const attempt of [...attempts, ...elsewhere]) attempt.catch(() => {})
  try {
    const first = await Promise.race([Promise.any(attempts), silence(timeoutMs, signal)])
    const others = [...attempts, ...elsewhere]
    return await withPeers(await withOthers(first, others, signal), asking)
  } catch {
    context.signal?.throwIfAborted()
    throw explain(references, failures, timeoutMs)
  } finally {
    stop.abort(new SourceMiss('another source answered first'))
  }
}

/** Addresses of the same content (sha256 and length) that come within the grace time. */
async function withOthers(first: ResolvedModel, attempts: readonly Promise<ResolvedModel>[], signal: AbortSignal): Promise<ResolvedModel> {
  const found: ResolvedModel[] = []
  const all = Promise.all(attempts.map((attempt) => attempt.then((model) => void found.push(model)).catch(() => {})))
  await Promise.race([all, delay(GRACE_MS, signal)])
  const files = first.files.map((file): ResolvedFile => {
    if (file.kind === 'pip' || file.sha256 === undefined) return file
    const same = found
      .flatMap((model) => model.files)
      .filter((other) => other.kind === file.kind && other.sha256 === file.sha256 && other.bytes === file.bytes)
    const urls = [...file.urls, ...same.flatMap((other) => (other.kind === 'pip' ? [] : other.urls))]
    return { ...file, urls: urls.filter((url, index) => urls.findIndex((other) => other.url === url.url) === index) }
  })
  return { ...first, files }
}

/** Other bendi servers that have a file come first: they are near. */
async function withPeers(resolved: ResolvedModel, context: SourceContext): Promise<ResolvedModel> {
  const { peers = [] } = context.env
  if (peers.length === 0) return resolved
  const files = resolved.files.map(async (file): Promise<ResolvedFile> => {
    if (file.kind !== 'download' || file.sha256 === undefined) return file
    return { ...file, urls: [...(await peersWith(file.sha256, peers, context)), ...file.urls] }
  })
  return { ...resolved, files: await Promise.all(files) }
}

/** The same repository at the other hub, as a further source only. Whoever chose an address by hand is not sent elsewhere. */
function otherHubs(reference: RemoteReference, context: SourceContext): Attempt[] {
  const { hfEndpoint, hfMirror } = context.env
  if (reference.type !== 'hub' || hfMirror === false || (hfEndpoint && hfMirror === undefined)) return []
  const other = { ...reference, revision: undefined }
  if (reference.hub === 'hf') return [() => resolveModelScope(withoutUndefined({ ...other, hub: 'ms' as const }), context)]
  return hfEndpoints(context).map(
    (endpoint) => () => resolveHuggingFace(withoutUndefined({ ...other, hub: 'hf' as const }), endpoint, context),
  )
}

function withoutUndefined(reference: Omit<HubReference, 'revision'> & { revision: undefined }): HubReference {
  const { revision: _, ...rest } = reference
  return rest
}

async function silence(ms: number, signal: AbortSignal): Promise<never> {
  await delay(ms, signal)
  throw new SourceMiss(`no answer in ${ms / 1000} s`)
}

type Attempt = () => Promise<ResolvedModel>

function attemptsFor(reference: RemoteReference, context: SourceContext): Attempt[] {
  switch (reference.type) {
    case 'https':
      return [async () => resolveHttps(reference)]
    case 'peer':
      return [() => resolvePeer(reference, context)]
    case 'pypi':
      return [() => resolvePypi(reference, context)]
    case 'hub': {
      if (reference.hub === 'ms') return [() => resolveModelScope(reference, context)]
      return hfEndpoints(context).map(
        (endpoint) => async () => withMirrors(await resolveHuggingFace(reference, endpoint, context), reference.repository, context),
      )
    }
  }
}

/** Where the content is known by its hash, the other endpoints may serve it too. */
function withMirrors(resolved: ResolvedModel, repository: string, context: SourceContext): ResolvedModel {
  const others = hfEndpoints(context).filter((endpoint) => endpoint.name !== resolved.source)
  const files = resolved.files.map((file): ResolvedFile => {
    if (file.kind !== 'download' || file.sha256 === undefined || resolved.revision === undefined) return file
    const { revision = '' } = resolved
    return {
      ...file,
      urls: [...file.urls, ...others.map((endpoint) => ({ ...fileUrl(endpoint, repository, revision, file.path), repository: undefined }))],
    }
  })
  return { ...resolved, files }
}

/** The failure that says most: a refusal, then a wrong reference, then silence. */
function explain(references: readonly RemoteReference[], failures: readonly unknown[], timeoutMs: number): unknown {
  const known = failures.filter((failure) => failure instanceof AppError)
  const best = known.find((failure) => failure.code === 'gated-model') ?? known[0]
  if (best) return best
  const bug = failures.find((failure) => !(failure instanceof SourceMiss))
  if (bug !== undefined) return bug
  const tried = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)))
  const reference = references.map((item) => item.text).join(', ')
  return new AppError('source-unreachable', { reference, tried: [...new Set(tried)].join('; ') || `no answer in ${timeoutMs / 1000} s` })
}
