/** The page stays fluid: long answers while they stream, and long chats. All in processor time, in a real browser. */
import { describe, expect, it } from 'vitest'
import { mixedText, singleBlocks } from './page-long-texts.ts'
import { noBrowser, usePage } from './page-harness.ts'
import { recordTasks, streamAtRate } from './page-tasks.ts'

/** ms that one task may take while 100 tokens a second stream (issue 3, section 5). */
const LONGEST_TASK_MS = 200
const TOKENS_PER_SECOND = 100
/** 5,000 tokens. */
const CHARACTERS = 20_000

describe.skipIf(noBrowser !== undefined)(`the speed of the page (${noBrowser ?? 'in Chromium'})`, () => {
  const app = usePage()

  it('never blocks for long while the end of an answer of 5,000 tokens streams', async () => {
    const { longest, total } = await streamEnd(mixedText, 2400)
    expect(longest).toBeGreaterThan(0)
    expect(longest).toBeLessThan(LONGEST_TASK_MS)
    // Of 6 seconds: the model wants the processor too.
    expect(total).toBeLessThan(4000)
  })

  it.each(Object.entries(singleBlocks))('never blocks for long when all 5,000 tokens are one %s', async (_, makeText) => {
    const { longest } = await streamEnd(makeText, 800)
    expect(longest).toBeGreaterThan(0)
    expect(longest).toBeLessThan(LONGEST_TASK_MS)
  })

  it('opens a chat of 500 messages and 1 MB in short tasks, and typing stays light while an answer streams in it', async () => {
    await keepLongChat()
    const opening = await recordTasks(app.page, async () => {
      await app.page.goto(`${app.server.url}/chat/long`)
      await app.answer().locator('.katex').first().waitFor()
    })
    expect(opening.longest).toBeLessThan(1000)
    const stream = await app.ask('Go on')
    const text = 'a question typed while the answer streams'
    const typing = await recordTasks(app.page, () =>
      Promise.all([streamAtRate(stream, mixedText(1200), TOKENS_PER_SECOND), app.composer().pressSequentially(text, { delay: 50 })]),
    )
    expect(await app.composer().inputValue()).toBe(text)
    expect(typing.longest).toBeLessThan(LONGEST_TASK_MS)
    stream.finish()
    await app.settled('done')
  })

  it('shows the beginning of a long chat when the reader goes there', async () => {
    await keepLongChat()
    await app.page.goto(`${app.server.url}/chat/long`)
    await app.answer().locator('.katex').first().waitFor()
    const list = app.page.locator('.scroller')
    const gap = () => list.evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)
    await expect.poll(gap).toBeLessThan(2)
    await list.focus()
    await app.page.keyboard.press('Home')
    await app.page.getByRole('heading', { name: 'Answer 1', exact: true }).waitFor()
    await expect.poll(() => list.evaluate(({ scrollTop }) => scrollTop)).toBe(0)
    await app.page.getByText('Question 0?', { exact: true }).waitFor()
  })

  /** The tasks while the last characters come, all others being there. */
  async function streamEnd(makeText: (characters: number) => string, lastCharacters: number): ReturnType<typeof recordTasks> {
    await fetchEverything()
    const text = makeText(CHARACTERS)
    const stream = await app.ask('Write much')
    stream.text(text.slice(0, -lastCharacters))
    await untilStill()
    const tasks = await recordTasks(app.page, () => streamAtRate(stream, text.slice(-lastCharacters), TOKENS_PER_SECOND))
    stream.finish()
    await app.settled('done')
    return tasks
  }

  /** What is loaded with the first formula and the first code. */
  async function fetchEverything(): Promise<void> {
    const stream = await app.ask('Warm up')
    stream.text('```js\nlet a = 1\n```\n\n\\(x\\)')
    stream.finish()
    await app.page.locator('.katex').waitFor()
    await app.page.locator('.hljs-keyword').waitFor()
  }

  /** The answer has grown to what was sent. */
  async function untilStill(): Promise<void> {
    let before = -1
    const grew = async (): Promise<boolean> => {
      const { length } = (await app.answer().textContent()) ?? ''
      const same = length === before && length > CHARACTERS / 4
      before = length
      return !same
    }
    await expect.poll(grew, { timeout: 60_000, interval: 500 }).toBe(false)
  }

  function keepLongChat(): Promise<void> {
    return app.page.evaluate((body) => {
      const messages = Array.from({ length: 500 }, (_, index) =>
        index % 2 === 0
          ? { id: `m${index}`, role: 'user', content: `Question ${index}?` }
          : { id: `m${index}`, role: 'assistant', content: `# Answer ${index}\n\n${body}`, thoughts: '', model: 'm', state: 'done' },
      )
      const messageIds = messages.map(({ id }) => id)
      const chat = { id: 'long', title: 'Long', settings: { system: '' }, createdAt: 1, updatedAt: Date.now(), messageIds }
      localStorage.setItem('bendi.chat.long', JSON.stringify({ chat, messages }))
    }, mixedText(4000))
  }
})
