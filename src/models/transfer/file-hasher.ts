/**
 * The sha256 of a file that is still being written: it follows the part of the file that is whole from the beginning,
 * so that the last bytes of a download are hashed a moment after they arrive. Large files have a thread of their own.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'

export interface FileHasher {
  /** The file is whole up to here now. Never goes back. */
  advance(until: number): void
  /** Of the first `bytes`, in hexadecimal. Throws when the file cannot be read that far. */
  digest(bytes: number): Promise<string>
  /** Bytes that are hashed already. */
  readonly done: number
  close(): Promise<void>
}

export type HashJob = { type: 'advance'; until: number } | { type: 'digest' }
export type HashReply = { type: 'advanced'; done: number } | { type: 'digest'; sha256: string } | { type: 'failed'; reason: string }

const BLOCK_BYTES = 1024 * 1024
/** A smaller file is hashed before a thread would have started. */
const THREAD_FROM_BYTES = 64_000_000
/** The thread hears of this many bytes at once, so that its answers stay current. */
const STEP_BYTES = 32_000_000
/** And of so many at least: each message wakes both threads. */
const LEAST_STEP_BYTES = 4_000_000

export function createFileHasher(file: string, totalBytes: number): FileHasher {
  return totalBytes >= THREAD_FROM_BYTES ? threadHasher(file) : ownHasher(file)
}

/** In this thread, block by block. */
function ownHasher(file: string): FileHasher {
  const hash = createHash('sha256')
  let target = 0
  let done = 0
  let failure: unknown
  let running: Promise<void> | undefined
  let isClosed = false
  const follow = async (): Promise<void> => {
    const handle = await open(file, 'r')
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, Math.max(1, target)))
    try {
      while (done < target && !isClosed) {
        const { bytesRead } = await handle.read(block, 0, Math.min(block.length, target - done), done)
        if (bytesRead === 0) throw new Error(`${file} ends at ${done}, before ${target}`)
        hash.update(block.subarray(0, bytesRead))
        done += bytesRead
      }
    } catch (error) {
      failure = error
    } finally {
      running = undefined
      await handle.close()
    }
  }
  const advance = (until: number): void => {
    target = Math.max(target, until)
    if (done < target && failure === undefined && !isClosed) running ??= follow().catch((error: unknown) => void (failure = error))
  }
  return {
    advance,
    get done() {
      return done
    },
    digest: async (bytes) => {
      advance(bytes)
      while (running) {
        await running
        advance(bytes)
      }
      if (failure !== undefined) throw failure
      return hash.digest('hex')
    },
    close: async () => {
      isClosed = true
      await running
    },
  }
}

function threadHasher(file: string): FileHasher {
  const worker = startWorker(file)
  worker.unref()
  let asked = 0
  let done = 0
  let settle: { resolve(sha256: string): void; reject(error: Error): void } | undefined
  let failure: Error | undefined
  const fail = (error: Error): void => {
    failure ??= error
    settle?.reject(failure)
  }
  worker.on('message', (reply: HashReply) => {
    if (reply.type === 'advanced') done = reply.done
    else if (reply.type === 'failed') fail(new Error(reply.reason))
    else settle?.resolve(reply.sha256)
  })
  worker.on('error', fail)
  const send = (job: HashJob): void => worker.postMessage(job)
  const ask = (until: number): void => {
    for (; asked < until; asked = Math.min(until, asked + STEP_BYTES)) send({ type: 'advance', until: Math.min(until, asked + STEP_BYTES) })
  }
  return {
    advance: (until) => {
      if (until - asked >= LEAST_STEP_BYTES) ask(until)
    },
    get done() {
      return done
    },
    digest: (bytes) => {
      worker.ref()
      return new Promise((resolve, reject) => {
        settle = { resolve, reject }
        if (failure) return reject(failure)
        ask(bytes)
        send({ type: 'digest' })
      })
    },
    close: async () => void (await worker.terminate()),
  }
}

/** The compiled `.js` beside this file, or the `.ts` through tsx when this runs from source (tests, benchmarks). */
function startWorker(file: string): Worker {
  const options = { name: 'file-hash', env: {}, execArgv: [], workerData: { file } }
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./hash-worker.js', import.meta.url), options)
  const tsx = import.meta.resolve('tsx/esm/api')
  const entry = new URL('./hash-worker.ts', import.meta.url).href
  const bootstrap = `import(${JSON.stringify(tsx)}).then((api) => { api.register(); return import(${JSON.stringify(entry)}) })`
  return new Worker(bootstrap, { ...options, eval: true })
}
