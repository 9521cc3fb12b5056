/** Finds a source that sends wrong bytes before the whole file shows it: a small sample is asked for at two, and if need be three, sources. */
import type { FileHandle } from 'node:fs/promises'

import type { Http } from '../../base/http.ts'
import { openRange } from './open-range.ts'
import type { Range } from './ranges.ts'
import type { SourceState } from './source-state.ts'

export interface CheckContext {
  http: Http
  handle: FileHandle
  totalBytes: number
  signal: AbortSignal
  now: () => number
  random: () => number
}

export interface SampleVerdict {
  /** Have the same bytes. */
  agreed: SourceState[]
  lied?: SourceState
}

/** What damages a file usually damages a block of this size somewhere. */
const SAMPLE_BYTES = 16 * 1024
const UNKNOWN: SampleVerdict = { agreed: [] }

/** Compares a sample of `piece`, which `source` has sent and the file holds, with `others`. Says nothing when it cannot be told. */
export async function compareSample(
  context: CheckContext,
  source: SourceState,
  piece: Range,
  others: readonly SourceState[],
): Promise<SampleVerdict> {
  const [witness, judge] = others.toSorted((a, b) => b.agreements - a.agreements || a.active - b.active)
  if (!witness) return UNKNOWN
  const bytes = Math.min(SAMPLE_BYTES, piece.end - piece.start)
  const start = piece.start + Math.floor(context.random() * (piece.end - piece.start - bytes + 1))
  const range = { start, end: start + bytes }
  const [ours, theirs] = await Promise.all([readHere(context.handle, range), fetchSample(context, witness, range)])
  if (!ours || !theirs) return UNKNOWN
  if (ours.equals(theirs)) return { agreed: [source, witness] }
  const third = judge && (await fetchSample(context, judge, range))
  if (judge && third?.equals(ours)) return { agreed: [source, judge], lied: witness }
  if (judge && third?.equals(theirs)) return { agreed: [witness, judge], lied: source }
  return UNKNOWN
}

async function readHere(handle: FileHandle, { start, end }: Range): Promise<Buffer | undefined> {
  const buffer = Buffer.alloc(end - start)
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
  return bytesRead === buffer.length ? buffer : undefined
}

/** Undefined when it does not come: that is for the next real request to find out. */
async function fetchSample(context: CheckContext, source: SourceState, range: Range): Promise<Buffer | undefined> {
  const { http, totalBytes, signal, now } = context
  try {
    const { response, skipBytes } = await openRange(
      http,
      source,
      { ...range, totalBytes },
      AbortSignal.any([signal, AbortSignal.timeout(15_000)]),
      now(),
    )
    const chunks: Uint8Array[] = []
    let bytes = 0
    try {
      if (skipBytes > 0) return undefined
      for await (const chunk of response.body) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes >= range.end - range.start) break
      }
    } finally {
      await response.discard()
    }
    return bytes >= range.end - range.start ? Buffer.concat(chunks).subarray(0, range.end - range.start) : undefined
  } catch {
    return undefined
  }
}
