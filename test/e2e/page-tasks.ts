/** What the page's own thread does, in processor time of a known machine, and streams at the pace of a model. */
import type { Page } from 'playwright-core'
import type { ChatStream } from './page-fake-server.ts'

/** ms of processor time, as they would be where the yardstick takes `YARDSTICK_MS`. */
export interface Tasks {
  longest: number
  total: number
}

/** What the yardstick takes on the machine whose milliseconds the limits of the tests are. */
const YARDSTICK_MS = 65

interface TraceEvent {
  name?: string
  pid?: number
  tid?: number
  /** µs of processor time of the thread. */
  tdur?: number
  args?: { name?: string }
}

/**
 * What the page does meanwhile. The same processor takes up to three times as long for the same work when its other
 * half is busy, so the page's work is put in proportion to a fixed piece of work before and after.
 */
export async function recordTasks(page: Page, during: () => Promise<unknown>): Promise<Tasks> {
  const before = await measureYardstick(page)
  const tasks = await traceTasks(page, during)
  const slowness = Math.max(1, before / YARDSTICK_MS, (await measureYardstick(page)) / YARDSTICK_MS)
  return { longest: Math.max(0, ...tasks) / slowness, total: tasks.reduce((sum, ms) => sum + ms, 0) / slowness }
}

/** ms; of the least disturbed of three. */
async function measureYardstick(page: Page): Promise<number> {
  const runs: number[] = []
  for (let run = 0; run < 3; run += 1) runs.push(Math.max(...(await traceTasks(page, () => page.evaluate(buildMuch)))))
  return Math.min(...runs)
}

/** Runs in the page: elements are made, laid out and taken away. */
function buildMuch(): number {
  const root = document.createElement('div')
  for (let index = 0; index < 4000; index += 1) {
    const line = document.createElement('p')
    line.textContent = `Line ${index} of some text 和一些中文`
    root.append(line)
  }
  document.body.append(root)
  const height = root.offsetHeight
  root.remove()
  return height
}

/**
 * By Chromium's tracing: what a PerformanceObserver calls a long task is wall time, and would count what the other
 * programs of a busy machine take.
 * @returns ms of processor time of each task
 */
async function traceTasks(page: Page, during: () => Promise<unknown>): Promise<number[]> {
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
  return tasksOf(events)
}

/** Of the threads that run pages; the compositor's and the browser's own are not what a reader waits for. */
function tasksOf(events: readonly TraceEvent[]): number[] {
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}:${tid}`
  const pages = new Set(events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(threadOf))
  return events.filter((event) => event.name === 'RunTask' && pages.has(threadOf(event))).map(({ tdur = 0 }) => tdur / 1000)
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
