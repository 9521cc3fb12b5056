/**
 * A file server of its own process for `download.ts`: `tsx throttled-server.ts BYTES LATENCY_MS BYTES_PER_SECOND`.
 * Each answer begins after the latency, and each connection gets at most so many bytes per second. Prints `{port, sha256}`.
 * The file, a GGUF header and noise, is also the only one of the repository `bench/big` of a hub (set HF_ENDPOINT).
 */
import { createHash } from 'node:crypto'
import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { tinyModelBytes } from '../test/fakes/gguf-header.ts'

const [bytes = 0, latencyMs = 0, bytesPerSecond = 0] = process.argv.slice(2).map(Number)
/** The content repeats, with a length that no block size divides, so that a piece in a wrong place is noticed. */
const BLOCK = pseudoRandom(33_554_393)
const HEADER = tinyModelBytes()
const SLICE_MS = 8

const sha256 = hashOfAll()
const server = http.createServer(
  { highWaterMark: 1_048_576 },
  (request, response) => void answer(request, response).catch(() => response.destroy()),
)
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port, sha256 })}\n`))
// The parent has gone.
process.stdin.on('end', () => process.exit(0)).resume()

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await delay(latencyMs)
  if (request.url?.startsWith('/api/models/bench/big')) return void response.end(JSON.stringify(repository()))
  if (!/^\/(file\.bin|bench\/big\/resolve\/)/.test(request.url ?? '')) return void response.writeHead(404).end()
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const start = match ? Number(match[1]) : 0
  const end = match?.[2] ? Math.min(Number(match[2]), bytes - 1) : bytes - 1
  if (start >= bytes) return void response.writeHead(416, { 'content-range': `bytes */${bytes}` }).end()
  response.writeHead(match ? 206 : 200, {
    etag: `"${sha256}"`,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-length': String(end - start + 1),
    ...(match ? { 'content-range': `bytes ${start}-${end}/${bytes}` } : {}),
  })
  if (request.method === 'HEAD') return void response.end()
  await send(response, start, end + 1)
  response.end()
}

/** https://huggingface.co/docs/hub/api, with `?blobs=true`. */
function repository(): object {
  const file = { rfilename: 'big-Q4_K_M.gguf', size: bytes, lfs: { sha256, size: bytes, pointerSize: 134 } }
  return { id: 'bench/big', modelId: 'bench/big', sha: '0'.repeat(40), private: false, gated: false, tags: ['gguf'], siblings: [file] }
}

async function send(response: ServerResponse, start: number, end: number): Promise<void> {
  const startedAt = performance.now()
  for (let at = start; at < end && !response.destroyed;) {
    const allowed = start + ((performance.now() - startedAt + SLICE_MS) * bytesPerSecond) / 1000
    while (at < Math.min(allowed, end) && !response.destroyed) {
      const piece = pieceAt(at, Math.min(262_144, Math.ceil(Math.min(allowed, end) - at)))
      at += piece.length
      if (!response.write(piece)) await drained(response)
    }
    if (at < end) await delay(SLICE_MS)
  }
}

function pieceAt(at: number, most: number): Buffer {
  if (at < HEADER.length) return HEADER.subarray(at, at + most)
  const from = (at - HEADER.length) % BLOCK.length
  return BLOCK.subarray(from, from + most)
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

function pseudoRandom(length: number): Buffer {
  const block = Buffer.alloc(length)
  let state = 0x9e3779b9
  for (let at = 0; at + 4 <= length; at += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    block.writeInt32LE(state, at)
  }
  return block
}

function hashOfAll(): string {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes;) {
    const piece = pieceAt(at, Math.min(BLOCK.length, bytes - at))
    hash.update(piece)
    at += piece.length
  }
  return hash.digest('hex')
}
