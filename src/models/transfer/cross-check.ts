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
  lied: SourceState[]
  /** Two disagree, and nobody can say who is right: rather not this one. */
  doubted: SourceState[]
}

/** What damages a file usually damages a block of this size somewhere. */
const SAMPLE_BYTES = 16 * 1024
const UNKNOWN: SampleVerdict = { agreed: [], lied: [], doubted: [] }

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
  const third = ours.equals(theirs) ? undefined : judge && (await fetchSample(context, judge, range))
  const samples = [
    { source, bytes: ours },
    { source: witness, bytes: theirs },
    ...(judge && third ? [{ source: judge, bytes: third }] : []),
  ]
  return verdictOf(samples)
}

/** Asks all for the same sample at once: who is alone with its bytes is known before much has been fetched. */
export async function rollCall(context: CheckContext, sources: readonly SourceState[]): Promise<SampleVerdict> {
  const bytes = Math.min(SAMPLE_BYTES, context.totalBytes)
  const start = Math.floor(context.random() * (context.totalBytes - bytes + 1))
  const asked = sources.map(async (source) => ({ source, bytes: await fetchSample(context, source, { start, end: start + bytes }) }))
  const answers = await Promise.all(asked)
  return verdictOf(answers.flatMap(({ source, bytes: sample }) => (sample ? [{ source, bytes: sample }] : [])))
}

/** The larger group is right. Of two that disagree the one that others agreed with before, else the first. */
function verdictOf(samples: readonly { source: SourceState; bytes: Buffer }[]): SampleVerdict {
  if (samples.length < 2) return UNKNOWN
  const groups: { source: SourceState; bytes: Buffer }[][] = []
  for (const sample of samples) {
    const group = groups.find(([first]) => first?.bytes.equals(sample.bytes))
    if (group) group.push(sample)
    else groups.push([sample])
  }
  const standing = (group: readonly { source: SourceState }[]): number => Math.max(...group.map(({ source }) => source.agreements))
  const [best = [], ...others] = groups.toSorted((a, b) => b.length - a.length || standing(b) - standing(a))
  const losers = others.flat().map(({ source }) => source)
  const isSure = best.length > 1 && best.length > (others[0]?.length ?? 0)
  return { agreed: best.length > 1 ? best.map(({ source }) => source) : [], lied: isSure ? losers : [], doubted: isSure ? [] : losers }
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
