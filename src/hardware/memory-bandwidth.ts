/**
 * How fast this machine reads its memory: what bounds the speed of a model on the processor, for each token reads all active weights once.
 *
 * Measured: threads that each walk a buffer of their own from end to end, over and over, with the C library's memchr (which
 * `Buffer.indexOf` of one byte calls: a vectorised read-only scan). All buffers together are four times the last-level caches, so that
 * little of a round is still cached. Counted are the bytes of the best of several windows of 150 ms, for other programs only slow it down.
 *
 * Error: below the machine's best by up to 15 % where few cores cannot keep the memory busy (a virtual machine with 2 of 64 cores tells
 * its own share, which is also what an engine there would get); above it by a few per cent when the buffers had to be smaller than four
 * times the caches because memory is short. Not comparable to the sum of read and write that STREAM tells.
 */
import { Worker } from 'node:worker_threads'

export interface BandwidthOptions {
  /** At most as many threads, at least one. */
  cores: number
  /** Of all last-level caches together; absent = 32 MiB. */
  cacheBytes?: number
  availableBytes: number
  signal?: AbortSignal
}

const MIB = 1024 * 1024
/** More threads add little on one socket, and cost memory and time to start. */
const MOST_THREADS = 32
const LEAST_TOTAL_BYTES = 256 * MIB
const MOST_TOTAL_BYTES = 4096 * MIB
/** Of what is free. */
const MOST_SHARE = 0.25
const WINDOW_MS = 150
const WINDOWS = 4
/** For the threads to start and touch their buffers; a machine that is too busy for that is not worth measuring. */
const START_LIMIT_MS = 1200
/** Scanned between two looks at the flag. */
const PIECE_BYTES = 4 * MIB

/** Bytes a second; undefined when memory is too short or the machine too busy. Takes 2 s at most. */
export async function measureMemoryBandwidth(options: BandwidthOptions): Promise<number | undefined> {
  const threads = Math.max(1, Math.min(MOST_THREADS, Math.floor(options.cores)))
  const bytes = bufferBytes(options, threads)
  if (bytes < PIECE_BYTES) return undefined
  const shared = new SharedArrayBuffer(8 * (threads + 2))
  const state = new BigInt64Array(shared)
  const workers = Array.from(
    { length: threads },
    (_, index) => new Worker(READER, { eval: true, workerData: { shared, index, bytes, piece: PIECE_BYTES } }),
  )
  try {
    await Promise.race([ready(workers, options.signal), pause(START_LIMIT_MS)])
    return allAreReading(state, threads) ? await bestWindow(state, threads, options.signal) : undefined
  } catch {
    return undefined
  } finally {
    Atomics.store(state, STOP, 1n)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

const STOP = 0
const READY = 1
const FIRST_COUNTER = 2

/** For each thread, a whole number of pieces. Exported for its test. */
export function bufferBytes({ cacheBytes = 32 * MIB, availableBytes }: BandwidthOptions, threads: number): number {
  const wanted = Math.min(MOST_TOTAL_BYTES, Math.max(LEAST_TOTAL_BYTES, 4 * cacheBytes))
  const total = Math.min(wanted, availableBytes * MOST_SHARE)
  return Math.floor(total / threads / PIECE_BYTES) * PIECE_BYTES
}

/**
 * Plain JavaScript in a text, so that it needs no file of its own, neither from sources nor when built. Each page is written first: pages
 * that were never written are all the same page of zeros, which stays in the cache. 1 is never found among the 2s.
 */
const READER = `
const { workerData: { shared, index, bytes, piece }, parentPort } = require('node:worker_threads')
const state = new BigInt64Array(shared)
const buffer = Buffer.allocUnsafeSlow(bytes).fill(2)
const pieces = []
for (let at = 0; at < bytes; at += piece) pieces.push(buffer.subarray(at, at + piece))
Atomics.add(state, ${READY}, 1n)
parentPort.postMessage('ready')
for (let at = 0; Atomics.load(state, ${STOP}) === 0n; at = (at + 1) % pieces.length) {
  if (pieces[at].indexOf(1) !== -1) break
  Atomics.add(state, ${FIRST_COUNTER} + index, BigInt(piece))
}
`

async function ready(workers: readonly Worker[], signal: AbortSignal | undefined): Promise<void> {
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.once('message', () => resolve())
          worker.once('error', reject)
          signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        }),
    ),
  )
}

function allAreReading(state: BigInt64Array, threads: number): boolean {
  return Atomics.load(state, READY) === BigInt(threads)
}

async function bestWindow(state: BigInt64Array, threads: number, signal: AbortSignal | undefined): Promise<number | undefined> {
  let best = 0
  for (let window = 0; window < WINDOWS && !signal?.aborted; window++) {
    const [before, since] = [countedBytes(state, threads), performance.now()]
    await pause(WINDOW_MS)
    best = Math.max(best, ((countedBytes(state, threads) - before) * 1000) / (performance.now() - since))
  }
  return best > 0 ? Math.round(best) : undefined
}

function countedBytes(state: BigInt64Array, threads: number): number {
  let sum = 0n
  for (let index = 0; index < threads; index++) sum += Atomics.load(state, FIRST_COUNTER + index)
  return Number(sum)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
