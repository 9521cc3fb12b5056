/** Starts the worker as a child process and turns its messages into calls; native logs go to the deployment's log file. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { deferred } from '../../base/async.ts'
import type { Deferred } from '../../base/async.ts'
import { fromWireError } from '../../shared/errors.ts'
import { withHugePages } from './huge-pages.ts'
import type { Command, LoadedModel, Report, WorkerEvent, WorkerOptions } from './messages.ts'

export interface WorkerListeners {
  onEvent(id: number, event: WorkerEvent): void
  onResized(context: number, kvLayout: 'unified' | 'split'): void
  /** Once, however it ended; `expected` after `stop`. */
  onExit(reason: string): void
}

type Asking = Extract<Command, { type: 'embed' | 'rerank' | 'close-thought' | 'tokenize' | 'detokenize' | 'stats' }>
/** A question without its number. */
export type Question = Asking extends infer Each ? (Each extends { id: number } ? Omit<Each, 'id'> : never) : never

export interface WorkerProcess {
  readonly pid: number | undefined
  load(options: WorkerOptions): Promise<LoadedModel>
  send(command: Command): void
  /** Rejects with an AppError, when the process ends, and with the signal's reason; the worker then stops working on it. */
  ask(question: Question, signal?: AbortSignal): Promise<unknown>
  /** Lets it write down its cache; killed after `limitMs`. */
  stop(limitMs: number): Promise<void>
  kill(): void
}

/** A worker answers within milliseconds, also while it computes; one that misses so many questions is stuck (a hostile grammar, say). */
const HEARTBEAT_MS = 5_000
const MISSED_LIMIT = 6

export interface WorkerPlace {
  logFile: string
  environment: Readonly<Record<string, string | undefined>>
}

export function startWorker(place: WorkerPlace, listeners: WorkerListeners): WorkerProcess {
  const child = forkWorker(place)
  const exited = deferred<string>()
  const loaded = deferred<LoadedModel>()
  // Nobody may be waiting for it when the process ends.
  loaded.promise.catch(() => {})
  const questions = new Map<number, Deferred<unknown>>()
  let nextQuestion = 1

  child.on('message', (message) => receive(message as Report))
  child.on('error', (error) => exited.resolve(error.message))
  child.on('exit', (code, signal) => exited.resolve(signal ?? `exit code ${code ?? 'unknown'}`))
  const heartbeat = setInterval(() => checkPulse(), HEARTBEAT_MS)
  heartbeat.unref()
  void exited.promise.then((reason) => {
    clearInterval(heartbeat)
    const error = new Error(`the worker ended (${reason})`)
    loaded.reject(error)
    for (const question of questions.values()) question.reject(error)
    listeners.onExit(reason)
  })

  /** Counted from the load on: that may take minutes. Counted in questions, not in time: this process may have slept itself. */
  let missed: number | undefined
  loaded.promise.then(
    () => (missed = 0),
    () => {},
  )

  function checkPulse(): void {
    if (missed === undefined) return
    if (missed++ >= MISSED_LIMIT) child.kill('SIGKILL')
    else worker.ask({ type: 'stats' }).catch(() => {})
  }

  function receive(report: Report): void {
    if (missed !== undefined) missed = 0
    switch (report.type) {
      case 'events':
        for (const [id, event] of report.events) listeners.onEvent(id, event)
        return
      case 'ready':
        return loaded.resolve(report.model)
      case 'failed':
        return loaded.reject(fromWireError(report.error))
      case 'resized':
        return listeners.onResized(report.context, report.kvLayout)
      case 'reply':
        return take(report.id)?.resolve(report.value)
      case 'refusal':
        return take(report.id)?.reject(fromWireError(report.error))
    }
  }

  function take(id: number): Deferred<unknown> | undefined {
    const question = questions.get(id)
    questions.delete(id)
    return question
  }

  async function abandonable(id: number, answer: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
    const abandon = (): void => {
      send({ type: 'abandon', id })
      take(id)?.reject(signal.reason)
    }
    if (signal.aborted) abandon()
    else signal.addEventListener('abort', abandon, { once: true })
    try {
      return await answer
    } finally {
      signal.removeEventListener('abort', abandon)
    }
  }

  const send = (command: Command): void => {
    if (child.connected) child.send(command)
  }

  const worker: WorkerProcess = {
    pid: child.pid,
    load(options) {
      send({ type: 'load', options })
      return loaded.promise
    },
    send,
    ask(question, signal) {
      const id = nextQuestion++
      const answer = deferred<unknown>()
      questions.set(id, answer)
      if (child.connected) send({ ...question, id })
      else take(id)?.reject(new Error('the worker has ended'))
      return signal ? abandonable(id, answer.promise, signal) : answer.promise
    },
    async stop(limitMs) {
      send({ type: 'stop' })
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
      await exited.promise
      clearTimeout(timer)
    },
    kill: () => child.kill('SIGKILL'),
  }
  return worker
}

/**
 * One thread for asynchronous work: libuv would hand the steps round its threads, and each would wake on a core where another
 * computes (2 to 6 % of the speed of one answer on two cores). Files of the disk tier are written between steps then.
 */
const THREAD_POOL = { UV_THREADPOOL_SIZE: '1' } as const

/** The worker beside this file: `.js` as built, `.ts` (through tsx) when this is the source. */
function forkWorker({ logFile, environment }: WorkerPlace): ChildProcess {
  mkdirSync(path.dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'a', 0o600)
  const isSource = import.meta.url.endsWith('.ts')
  const entry = fileURLToPath(new URL(isSource ? './worker.ts' : './worker.js', import.meta.url))
  const execArgv = isSource ? ['--import', createRequire(import.meta.url).resolve('tsx')] : []
  try {
    // In a session of its own, so that a Ctrl-C in the terminal does not reach it: the parent drains it first.
    const env = { ...withHugePages(environment), ...THREAD_POOL }
    return fork(entry, [], { stdio: ['ignore', log, log, 'ipc'], serialization: 'advanced', execArgv, env, detached: true })
  } finally {
    closeSync(log)
  }
}
