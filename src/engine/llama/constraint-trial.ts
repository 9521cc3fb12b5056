/** Finds out, in a thread, whether a constraint compiles and what that costs; a thread that takes too long is ended. */
import type { Worker } from 'node:worker_threads'
import { deferred } from '../../base/async.ts'
import type { Deferred } from '../../base/async.ts'
import type { ConstraintRoot } from '../../formats/constraint.ts'
import { ConstraintRefused, ConstraintTooDear } from './constraint-compiler.ts'
import type { CompiledConstraint } from './constraint-compiler.ts'
import { createMatcherChannel, hostedConstraint } from './constraint-host.ts'
import { startSourceThread } from './source-thread.ts'
import type { TokenVocabulary } from './token-vocabulary.ts'

export interface TrialCost {
  /** Of the compilation and the first mask. */
  ms: number
  /** Memory that it took for good. */
  bytes: number
}

export type TrialCommand =
  | { type: 'try'; root: ConstraintRoot }
  | { type: 'serve'; shared: SharedArrayBuffer }
  /** Compiles, then serves. */
  | { type: 'add'; id: number; root: ConstraintRoot; shared: SharedArrayBuffer }
export type TrialReply = { type: 'ready' } | ({ type: 'compiled' } & TrialCost) | { type: 'refused'; reason: string }

export interface ConstraintTrial {
  /** Throws ConstraintRefused. One after another. */
  cost(root: ConstraintRoot): Promise<TrialCost>
  /** The thread goes on with the last constraint only, for whoever asks: right after `cost`. The next trial gets a fresh one. */
  keep(): CompiledConstraint
  /** Ends the thread. Idempotent. */
  close(): void
}

/** One question to a constraint that is dear: what it needs longer for would hold up everybody. */
const ANSWER_LIMIT_MS = 200
/** Idle for this long, the thread is ended: it holds the vocabulary a second time. */
const IDLE_MS = 60_000

export function createConstraintTrial(vocabulary: TokenVocabulary, { limitMs }: { limitMs: number }): ConstraintTrial {
  let thread: TrialThread | undefined
  let last: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined

  const end = (): void => {
    thread?.end()
    thread = undefined
  }
  const costNow = async (root: ConstraintRoot): Promise<TrialCost> => {
    clearTimeout(idle)
    thread ??= startThread(vocabulary)
    try {
      return await thread.cost(root, limitMs)
    } catch (error) {
      // What was refused has left the thread's XGrammar in pieces.
      end()
      throw error
    } finally {
      idle = setTimeout(end, IDLE_MS)
      idle.unref()
    }
  }
  return {
    cost(root) {
      const result = last.then(() => costNow(root))
      last = result.catch(() => {})
      return result
    },
    keep() {
      if (!thread) throw new Error('there was no trial')
      const host = thread.keep(vocabulary.texts.length)
      thread = undefined
      return host
    },
    close() {
      clearTimeout(idle)
      end()
    },
  }
}

interface TrialThread {
  cost(root: ConstraintRoot, limitMs: number): Promise<TrialCost>
  keep(vocabularySize: number): CompiledConstraint
  end(): void
}

function startThread(vocabulary: TokenVocabulary): TrialThread {
  const worker: Worker = startSourceThread('constraint-thread', { name: 'constraint-trial', workerData: vocabulary })
  const ready = deferred<void>()
  let current: Deferred<TrialCost> | undefined
  ready.promise.catch(() => {})
  let isReady = false
  const fail = (reason: string): void => {
    // Before that nobody's constraint can be the reason.
    ready.reject(new Error(`XGrammar does not start: ${reason}`))
    current?.reject(isReady ? new ConstraintRefused(reason) : new Error(reason))
  }
  worker.on('message', (reply: TrialReply) => {
    if (reply.type === 'ready') {
      isReady = true
      ready.resolve()
    }
    if (reply.type === 'refused') fail(reply.reason)
    if (reply.type === 'compiled') current?.resolve({ ms: reply.ms, bytes: reply.bytes })
  })
  worker.on('error', (error) => fail(`it used too much memory or crashed (${error.message})`))
  worker.on('exit', () => fail('its thread ended'))
  worker.unref()
  return {
    async cost(root, limitMs) {
      const trial = deferred<TrialCost>()
      current = trial
      const { promise } = trial
      promise.catch(() => {})
      await ready.promise
      const timer = setTimeout(() => trial.reject(new ConstraintTooDear(`it takes longer than ${limitMs} ms to prepare`)), limitMs)
      try {
        worker.postMessage({ type: 'try', root } satisfies TrialCommand)
        return await promise
      } finally {
        clearTimeout(timer)
      }
    },
    keep(vocabularySize) {
      const channel = createMatcherChannel(vocabularySize, ANSWER_LIMIT_MS, () => void worker.terminate())
      worker.postMessage({ type: 'serve', shared: channel.shared } satisfies TrialCommand)
      return hostedConstraint(channel)
    },
    end: () => void worker.terminate(),
  }
}
