/**
 * The thread that answers for all constraints that are quick to compile: neither a compilation nor the vocabulary that it needs ever runs in the
 * thread of the steps. It compiles between two questions, so only what constraint-trial.ts has found to be quick may be added.
 */
import type { Worker } from 'node:worker_threads'
import { deferred } from '../../base/async.ts'
import type { Deferred } from '../../base/async.ts'
import type { ConstraintRoot } from '../../formats/constraint.ts'
import { ConstraintRefused } from './constraint-compiler.ts'
import type { CompiledConstraint } from './constraint-compiler.ts'
import { createMatcherChannel } from './constraint-host.ts'
import type { TrialCommand, TrialReply } from './constraint-trial.ts'
import { startSourceThread } from './source-thread.ts'
import type { TokenVocabulary } from './token-vocabulary.ts'

/**
 * For one question. Its constraints were found to be quick, so that a thread which takes longer does not get to run: then all of its sequences would
 * fail, which is worse than waiting.
 */
const ANSWER_LIMIT_MS = 2_000

export interface ConstraintServer {
  /** Matchers that somebody holds, and compilations that are under way: what a further one would hold up. */
  readonly load: number
  /** When nothing is being compiled. */
  idle(): Promise<void>
  /** Its thread has ended: everything that was added is lost. */
  readonly isBroken: boolean
  /** Throws ConstraintRefused; then the server is broken. One after another. */
  add(root: ConstraintRoot): Promise<CompiledConstraint>
  /** Idempotent. */
  close(): void
}

export function startConstraintServer(vocabulary: TokenVocabulary): ConstraintServer {
  const worker: Worker = startSourceThread('constraint-thread', { name: 'constraint-server', workerData: vocabulary })
  const channel = createMatcherChannel(vocabulary.texts.length, ANSWER_LIMIT_MS, () => void worker.terminate())
  const ready = deferred<void>()
  ready.promise.catch(() => {})
  let current: Deferred<void> | undefined
  let isServing = false
  let last: Promise<unknown> = Promise.resolve()
  let next = 0
  let load = 0

  const fail = (reason: string): void => {
    channel.end()
    ready.reject(new Error(`XGrammar does not start: ${reason}`))
    current?.reject(new ConstraintRefused(reason))
  }
  worker.on('message', (reply: TrialReply) => {
    if (reply.type === 'ready') ready.resolve()
    if (reply.type === 'compiled') current?.resolve()
    if (reply.type === 'refused') fail(reply.reason)
  })
  worker.on('error', (error) => fail(error.message))
  worker.on('exit', () => fail('its thread ended'))
  worker.unref()

  const addNow = async (root: ConstraintRoot): Promise<CompiledConstraint> => {
    await ready.promise
    const id = next++
    const done = deferred<void>()
    current = done
    if (isServing) channel.leave()
    isServing = true
    worker.postMessage({ type: 'add', id, root, shared: channel.shared } satisfies TrialCommand)
    await done.promise
    return {
      open() {
        const matcher = channel.open(id)
        load++
        return {
          ...matcher,
          close() {
            load--
            matcher.close()
          },
        }
      },
      dispose: () => channel.drop(id),
      get isBroken() {
        return channel.hasEnded
      },
    }
  }
  return {
    get isBroken() {
      return channel.hasEnded
    },
    get load() {
      return load
    },
    idle: async () => void (await last),
    add(root) {
      load++
      const result = last.then(() => addNow(root)).finally(() => load--)
      last = result.catch(() => {})
      return result
    },
    close: () => channel.end(),
  }
}
