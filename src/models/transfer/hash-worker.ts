/** The thread of `file-hasher.ts`: hashes a file from its beginning, as far as it is told that it is whole. */
import { createHash } from 'node:crypto'
import { openSync, readSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

import type { HashJob, HashReply } from './file-hasher.ts'

/** Stays in the processor's cache between reading and hashing. */
const BLOCK_BYTES = 256 * 1024

const file = openSync((workerData as { file: string }).file, 'r')
const hash = createHash('sha256')
const block = Buffer.allocUnsafe(BLOCK_BYTES)
const port = parentPort
let done = 0

port?.on('message', (job: HashJob) => port.postMessage(reply(job)))

function reply(job: HashJob): HashReply {
  if (job.type === 'digest') return { type: 'digest', sha256: hash.digest('hex') }
  try {
    advance(job.until)
    return { type: 'advanced', done }
  } catch (error) {
    return { type: 'failed', reason: (error as Error).message }
  }
}

function advance(until: number): void {
  while (done < until) {
    const bytes = readSync(file, block, 0, Math.min(BLOCK_BYTES, until - done), done)
    if (bytes === 0) throw new Error(`the file ends at ${done}, before ${until}`)
    hash.update(block.subarray(0, bytes))
    done += bytes
  }
}
