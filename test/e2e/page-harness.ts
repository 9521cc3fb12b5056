/** What every test of the page needs: a browser, a server in the test's hand, and an opened page. */
import type { Browser, BrowserContextOptions, ConsoleMessage, Locator, Page } from 'playwright-core'
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
  /** What this test provokes is no problem. */
  forgive(text: RegExp): void
  /** The server goes away, and comes back at the same address as a new one. */
  stopServer(): Promise<void>
  startServer(): Promise<void>
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
  let forgiven: RegExp[] = []
  const open = async (options: BrowserContextOptions): Promise<void> => {
    await opened.page?.context().close()
    problems = []
    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 }, ...options })
    context.setDefaultTimeout(30_000)
    context.on('weberror', (error) => problems.push(error.error().message))
    context.on('console', (message) => isProblem(message) && problems.push(message.text()))
    opened.page = await context.newPage()
    await opened.page.goto(opened.server.url)
  }
  const opened = createOpened(
    open,
    () => folder,
    (text) => forgiven.push(text),
  )
  beforeAll(async () => {
    folder = await ensurePage()
  })
  beforeEach(async () => {
    forgiven = []
    opened.server = await startFakeServer(folder)
    await open({})
  })
  afterEach(async () => {
    await opened.page.context().close()
    await opened.server.close()
    const left = problems.filter((problem) => !forgiven.some((text) => text.test(problem)))
    if (left.length > 0) throw new Error(`the page had problems: ${left.join('; ')}`)
  })
  afterAll(() => browser.close())
  return opened
}

/** What the browser itself says of a refused or broken request is no fault of the page. */
function isProblem(message: ConsoleMessage): boolean {
  return ['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')
}

/** Its page and server are there when a test runs. */
function createOpened(open: OpenedPage['open'], folder: () => string, forgive: OpenedPage['forgive']): OpenedPage {
  const opened: OpenedPage = {
    page: undefined as unknown as Page,
    server: undefined as unknown as FakeServer,
    open,
    forgive,
    stopServer: () => opened.server.close(),
    startServer: async () => {
      opened.server = await startFakeServer(folder(), Number(new URL(opened.server.url).port))
    },
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
