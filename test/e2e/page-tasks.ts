/** What the page's own thread does, in processor time, and streams at the pace of a model. */
import type { Page } from 'playwright-core'
import type { ChatStream } from './page-fake-server.ts'

export interface Tasks {
  /** ms of processor time. */
  longest: number
  total: number
}

interface TraceEvent {
  name?: string
  pid?: number
  tid?: number
  /** µs of processor time of the thread. */
  tdur?: number
  args?: { name?: string }
}

/**
 * The page's tasks in processor time (Chromium's tracing): what a PerformanceObserver calls a long task is wall time,
 * and would count what the other programs of a busy machine take.
 */
export async function recordTasks(page: Page, during: () => Promise<unknown>): Promise<Tasks> {
  const session = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value))
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['disabled-by-default-devtools.timeline', '__metadata'] },
  })
  await during()
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
  await session.send('Tracing.end')
  await complete
  await session.detach()
  return summaryOf(events)
}

/** Of the threads that run pages; the compositor's and the browser's own are not what a reader waits for. */
function summaryOf(events: readonly TraceEvent[]): Tasks {
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}:${tid}`
  const pages = new Set(events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(threadOf))
  const tasks = events.filter((event) => event.name === 'RunTask' && pages.has(threadOf(event))).map(({ tdur = 0 }) => tdur / 1000)
  return { longest: tasks.reduce((longest, ms) => Math.max(longest, ms), 0), total: tasks.reduce((sum, ms) => sum + ms, 0) }
}

/** In pieces of about a token's length. The wall clock decides how many are due: a slow timer does not slow the stream down. */
export function streamAtRate(stream: ChatStream, text: string, perSecond: number): Promise<void> {
  const tokens = text.match(/[\s\S]{1,4}/g) ?? []
  const startedAt = performance.now()
  let sent = 0
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(tokens.length, Math.floor(((performance.now() - startedAt) / 1000) * perSecond))
      for (; sent < due; sent += 1) stream.text(tokens[sent] ?? '')
      if (sent < tokens.length) return
      clearInterval(timer)
      resolve()
    }, 10)
  })
}
