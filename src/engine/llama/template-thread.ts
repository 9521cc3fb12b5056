/**
 * Chat templates come with model files, so they are programs of strangers: they run in a thread with bounded time and memory,
 * which is ended and made again when a template does not keep to its bounds.
 */
import type { Worker } from 'node:worker_threads'
import { deferred, type Deferred } from '../../base/async.ts'
import type { MessagesPrompt, RenderedPrompt, TemplateSource } from '../../formats/chat-template.ts'
import { AppError, fromWireError } from '../../shared/errors.ts'
import type { WireError } from '../../shared/generate.ts'
import { startSourceThread } from './source-thread.ts'

export interface TemplateRenderer {
  /** Like `renderChatTemplate`; also throws AppError `template-failed` when time or memory run out. Calls are done one after another. */
  render(source: TemplateSource, prompt: MessagesPrompt): Promise<RenderedPrompt>
  /** Ends the thread; what is still waiting fails with `shutting-down`. Idempotent. */
  close(): Promise<void>
}

export interface TemplateJob {
  source: TemplateSource
  prompt: MessagesPrompt
}

export type TemplateReply = { type: 'ready' } | { type: 'rendered'; result: RenderedPrompt } | { type: 'failed'; error: WireError }

const DEFAULT_MEMORY_MB = 128

/** `timeoutMs` bounds one rendering (the thread's start is not counted), `memoryMb` the thread's JavaScript heap. */
export function createTemplateRenderer({
  timeoutMs,
  memoryMb = DEFAULT_MEMORY_MB,
}: {
  timeoutMs: number
  memoryMb?: number
}): TemplateRenderer {
  let thread: TemplateThread | undefined
  let last: Promise<unknown> = Promise.resolve()
  let closed = false

  const renderNow = async (job: TemplateJob): Promise<RenderedPrompt> => {
    if (closed) throw new AppError('shutting-down')
    thread ??= startThread(memoryMb)
    try {
      return await thread.render(job, timeoutMs)
    } finally {
      if (thread?.ended()) thread = undefined
    }
  }

  return {
    render: (source, prompt) => {
      const result = last.then(() => renderNow({ source, prompt }))
      // The next call waits for this one, whichever way it ends.
      last = result.catch(() => {})
      return result
    },
    close: async () => {
      closed = true
      await thread?.end(new AppError('shutting-down'))
      await last
    },
  }
}

interface TemplateThread {
  render(job: TemplateJob, timeoutMs: number): Promise<RenderedPrompt>
  end(reason: Error): Promise<void>
  ended(): boolean
}

function startThread(memoryMb: number): TemplateThread {
  const worker = startWorker(memoryMb)
  const ready = deferred<void>()
  let current: { job: TemplateJob; result: Deferred<RenderedPrompt> } | undefined
  let ended = false

  const fail = (error: Error): void => {
    ended = true
    ready.reject(error)
    current?.result.reject(error)
  }
  // Nobody may be waiting for either when the thread ends.
  ready.promise.catch(() => {})

  worker.on('message', (reply: TemplateReply) => {
    if (reply.type === 'ready') ready.resolve()
    else if (reply.type === 'rendered') current?.result.resolve(reply.result)
    else current?.result.reject(fromWireError(reply.error))
  })
  worker.on('error', (error) => fail(templateFailed(current?.job, `it used too much memory or crashed (${error.message})`)))
  worker.on('exit', () => fail(templateFailed(current?.job, 'its thread ended')))
  // An idle renderer must not keep the process alive.
  worker.unref()

  const end = async (reason: Error): Promise<void> => {
    fail(reason)
    await worker.terminate()
  }

  const render = async (job: TemplateJob, timeoutMs: number): Promise<RenderedPrompt> => {
    worker.ref()
    current = { job, result: deferred() }
    const { promise } = current.result
    promise.catch(() => {})
    let timer: NodeJS.Timeout | undefined
    try {
      await ready.promise
      timer = setTimeout(() => void end(templateFailed(job, `it took longer than ${timeoutMs} ms`)), timeoutMs)
      worker.postMessage(job)
      return await promise
    } finally {
      clearTimeout(timer)
      current = undefined
      worker.unref()
    }
  }

  return { render, end, ended: () => ended }
}

function startWorker(memoryMb: number): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }
  return startSourceThread('template-worker', { name: 'chat-template', resourceLimits })
}

function templateFailed(job: TemplateJob | undefined, reason: string): AppError {
  return new AppError('template-failed', { model: job?.source.name ?? job?.source.architecture ?? 'the model', reason })
}
