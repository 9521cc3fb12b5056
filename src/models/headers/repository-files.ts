/** All files of a hub's repository with their addresses, whatever they are. */
import { AppError } from '../../shared/errors.ts'
import { SourceMiss } from '../hubs/failures.ts'
import { fileUrl, headersFor, hfEndpoints, listHuggingFace } from '../hubs/huggingface.ts'
import type { HfEndpoint, HubReference } from '../hubs/huggingface.ts'
import { listModelScope, modelScopeFileUrl } from '../hubs/modelscope.ts'
import type { SourceContext } from '../hubs/source.ts'
import type { RemoteFile } from './remote-source.ts'

export interface RepositoryFiles {
  /** e.g. `huggingface`. */
  source: string
  revision: string
  files: readonly RemoteFile[]
}

/**
 * The hub and its mirror are asked at once; the first that knows the repository answers.
 * Throws `source-unreachable`, `gated-model`.
 */
export async function listRepository(reference: HubReference, context: SourceContext): Promise<RepositoryFiles> {
  const stop = new AbortController()
  const signal = context.signal ? AbortSignal.any([context.signal, stop.signal]) : stop.signal
  const attempts =
    reference.hub === 'ms'
      ? [modelScopeFiles(reference, { ...context, signal })]
      : hfEndpoints(context).map((endpoint) => huggingFaceFiles(reference, endpoint, { ...context, signal }))
  try {
    return await Promise.any(attempts)
  } catch (error) {
    context.signal?.throwIfAborted()
    throw explain(reference, error instanceof AggregateError ? error.errors : [error])
  } finally {
    stop.abort(new SourceMiss('another source answered first'))
  }
}

/** A refusal says most, then a bug of ours, then who did not answer. */
function explain(reference: HubReference, failures: readonly unknown[]): unknown {
  const telling = failures.find((failure) => failure instanceof AppError) ?? failures.find((failure) => !(failure instanceof SourceMiss))
  if (telling !== undefined) return telling
  const tried = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)))
  return new AppError('source-unreachable', { reference: reference.text, tried: [...new Set(tried)].join('; ') })
}

async function huggingFaceFiles(reference: HubReference, endpoint: HfEndpoint, context: SourceContext): Promise<RepositoryFiles> {
  const { revision, files } = await listHuggingFace(reference, endpoint, context)
  return {
    source: endpoint.name,
    revision,
    files: files.map(({ path, bytes }) => ({
      path,
      ...sizeOf(bytes),
      urls: [fileUrl(endpoint, reference.repository, revision, path, headersFor(endpoint))],
    })),
  }
}

async function modelScopeFiles(reference: HubReference, context: SourceContext): Promise<RepositoryFiles> {
  const { revision, files } = await listModelScope(reference, context)
  const asked = reference.revision ?? 'master'
  return {
    source: 'modelscope',
    revision,
    files: files.map(({ path, bytes }) => ({
      path,
      ...sizeOf(bytes),
      urls: [modelScopeFileUrl(context, reference.repository, asked, path)],
    })),
  }
}

function sizeOf(bytes: number | undefined): { bytes?: number } {
  return bytes === undefined ? {} : { bytes }
}
