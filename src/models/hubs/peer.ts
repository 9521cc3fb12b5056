/** Another bendi on the LAN: its library as a source, by name or by the hash of a file. The routes are in src/server/routes/peer.ts. */
import { z } from 'zod'

import { ModelSchema } from '../../shared/api.ts'
import type { Model } from '../../shared/api.ts'
import { formatReference } from '../reference.ts'
import type { Reference } from '../reference.ts'
import { askHub, SourceMiss } from './failures.ts'
import type { FileSourceUrl, ResolvedModel, SourceContext } from './source.ts'

export type PeerReference = Extract<Reference, { type: 'peer' }>

const DEFAULT_PORT = 8400

/** The peer's model as what it really is: its own reference, not the peer's address. Throws SourceMiss, `gated-model`. */
export async function resolvePeer(reference: PeerReference, context: SourceContext): Promise<ResolvedModel> {
  const origin = peerOrigin(reference.host)
  const response = await askHub(context, { url: `${origin}/api/peer/models`, repository: formatReference(reference) })
  const parsed = z.array(ModelSchema).safeParse(parseJson(await response.text()))
  if (!parsed.success) throw new SourceMiss(`${reference.host} is not a bendi that shares its models`)
  const model = find(parsed.data, reference.name)
  if (!model) throw new SourceMiss(`${reference.host} does not share ${reference.name}`)
  const { license, revision, title } = model
  return {
    // A path of that machine would be read on this one.
    reference: /^file:/i.test(model.reference) ? model.name : model.reference,
    source: `peer:${reference.host}`,
    title,
    ...(revision === undefined ? {} : { revision }),
    ...(license === undefined ? {} : { license }),
    files: model.files.flatMap(({ path, bytes, sha256 }) =>
      sha256 === undefined ? [] : [{ kind: 'download' as const, path, bytes, sha256, urls: [peerUrl(reference.host, sha256)] }],
    ),
  }
}

/** Those of `peers` that have a file with this content. One that does not answer within `timeoutMs` has nothing. */
export async function peersWith(
  sha256: string,
  peers: readonly string[],
  context: SourceContext,
  timeoutMs = 500,
): Promise<FileSourceUrl[]> {
  const asked = peers.map(async (host): Promise<FileSourceUrl[]> => {
    const url = peerUrl(host, sha256)
    try {
      const timeout = AbortSignal.timeout(timeoutMs)
      const signal = context.signal ? AbortSignal.any([context.signal, timeout]) : timeout
      const response = await context.http.request(url.url, { method: 'HEAD', signal })
      await response.discard()
      return response.status === 200 ? [url] : []
    } catch {
      context.signal?.throwIfAborted()
      return []
    }
  })
  return (await Promise.all(asked)).flat()
}

export function peerOrigin(host: string): string {
  return /:\d+$/.test(host) ? `http://${host}` : `http://${host}:${DEFAULT_PORT}`
}

function peerUrl(host: string, sha256: string): FileSourceUrl {
  return { name: `peer:${host}`, url: `${peerOrigin(host)}/api/peer/files/${sha256}` }
}

function find(models: readonly Model[], name: string): Model | undefined {
  return (
    models.find((model) => model.name === name || model.reference === name) ?? models.find((model) => model.name.startsWith(`${name}:`))
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
