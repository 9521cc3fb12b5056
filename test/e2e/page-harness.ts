/** What every test of the page needs: a browser, a server in the test's hand, and an opened page. */
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { launchBrowser } from '../fixtures/browser.ts'
import { ensurePage } from './page-build.ts'
import { startFakeServer, type ChatStream, type FakeServer } from './page-fake-server.ts'

export interface OpenedPage {
  page: Page
  server: FakeServer
  composer(): Locator
  /** The last one. */
  answer(): Locator
  /** Writes, presses Enter, and answers the stream that came of it. */
  ask(question: string): Promise<ChatStream>
  /** The last answer has come to this state. */
  settled(state: string): Promise<void>
  /** A page of another kind, instead of the one that is open. */
  open(options: BrowserContextOptions): Promise<void>
}

const launched = await launchBrowser()
/** Why there is no browser. */
export const noBrowser: string | undefined = launched.skip

/** Opens the page before each test; after it, the page must have thrown nothing and broken no policy. */
export function usePage(): OpenedPage {
  const browser = launched.browser as Browser
  let folder: string
  let problems: string[] = []
  const open = async (options: BrowserContextOptions): Promise<void> => {
    await opened.page?.context().close()
    problems = []
    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 }, ...options })
    opened.page = await context.newPage()
    opened.page.setDefaultTimeout(15_000)
    opened.page.on('pageerror', (error) => problems.push(error.message))
    opened.page.on('console', (message) => /Content Security Policy/.test(message.text()) && problems.push(message.text()))
    await opened.page.goto(opened.server.url)
  }
  const opened = createOpened(open)
  beforeAll(async () => {
    folder = await ensurePage()
  })
  beforeEach(async () => {
    opened.server = await startFakeServer(folder)
    await open({})
  })
  afterEach(async () => {
    await opened.page.context().close()
    await opened.server.close()
    if (problems.length > 0) throw new Error(`the page had problems: ${problems.join('; ')}`)
  })
  afterAll(() => browser.close())
  return opened
}

/** Its page and server are there when a test runs. */
function createOpened(open: OpenedPage['open']): OpenedPage {
  const opened: OpenedPage = {
    page: undefined as unknown as Page,
    server: undefined as unknown as FakeServer,
    open,
    composer: () => opened.page.getByRole('textbox', { name: 'Your message' }),
    answer: () => opened.page.getByTestId('answer').last(),
    ask: async (question) => {
      await opened.composer().fill(question)
      await opened.composer().press('Enter')
      return opened.server.nextChat()
    },
    settled: (state) => opened.page.locator(`[data-testid=answer][data-state=${state}]`).last().waitFor(),
  }
  return opened
}
