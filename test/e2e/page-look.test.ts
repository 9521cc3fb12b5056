/** Phones and accessibility, in a real browser. */
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { noBrowser, usePage } from './page-harness.ts'

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

describe.skipIf(noBrowser !== undefined)(`the look of the page (${noBrowser ?? 'in Chromium'})`, () => {
  const app = usePage()

  it.each([320, 360, 390])('has no sideways scroll on a phone %i px wide, and its list is a drawer', async (width) => {
    await app.open({ viewport: { width, height: 740 }, hasTouch: true, isMobile: true })
    const isTooWide = () =>
      app.page.evaluate(() =>
        [...document.querySelectorAll('body *')].some(
          (element) =>
            element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('.table-frame, pre, .katex-display, .sr-only'),
        ),
      )
    expect(await isTooWide()).toBe(false)
    await app.composer().fill('A rather long question about many things at once')
    await app.page.getByRole('button', { name: 'Send' }).click()
    const stream = await app.server.nextChat()
    stream.text(
      `| a | b | c | d |\n|---|---|---|---|\n| ${'long cell '.repeat(8)} | 2 | 3 | 4 |\n\n\`\`\`js\n${'const x = 1; '.repeat(20)}\n\`\`\`\n\n${'unbreakable'.repeat(20)}`,
    )
    stream.finish()
    await app.settled('done')
    expect(await isTooWide()).toBe(false)
    await app.page.getByRole('button', { name: 'Open the sidebar' }).click()
    const drawer = app.page.getByRole('dialog', { name: 'Navigation' })
    await drawer.getByRole('link', { name: 'Models' }).click()
    await drawer.waitFor({ state: 'detached' })
    await app.page.getByRole('heading', { name: 'Models' }).waitFor()
    expect(await isTooWide()).toBe(false)
    await app.page.goto(`${app.server.url}/status`)
    await app.page.getByText('Platinum').waitFor()
    expect(await isTooWide()).toBe(false)
  })

  it('gives fingers at least 40 px everywhere', async () => {
    await app.open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, reducedMotion: 'reduce' })
    await app.composer().waitFor()
    await expect.poll(smallTargets).toEqual([])
    await app.composer().fill('Hello')
    await app.page.getByRole('button', { name: 'Send' }).click()
    const stream = await app.server.nextChat()
    stream.thought('Hm.')
    await app.page.getByRole('button', { name: 'Answer now' }).waitFor()
    stream.text('Hi\n\n```js\nlet a\n```')
    stream.finish()
    await app.settled('done')
    await expect.poll(smallTargets).toEqual([])
    await app.page.getByRole('button', { name: 'Settings of this chat' }).click()
    await app.page.getByLabel('System prompt').waitFor()
    await expect.poll(smallTargets).toEqual([])
    await app.page.goto(`${app.server.url}/models`)
    await app.page.getByTestId('model').first().waitFor()
    await expect.poll(smallTargets).toEqual([])
    await app.page.getByRole('button', { name: 'Open the sidebar' }).click()
    await app.page.getByRole('dialog').waitFor()
    await expect.poll(smallTargets).toEqual([])
  })

  /** Buttons and links outside of running text, with their sizes. */
  function smallTargets(): Promise<string[]> {
    return app.page.evaluate(() =>
      [...document.querySelectorAll('button, a, [role^=menuitem]')]
        .filter((element) => element.checkVisibility() && !element.matches('p a, .skip-link'))
        .map((element) => ({ element, ...element.getBoundingClientRect().toJSON() }) as { element: Element; width: number; height: number })
        .filter(({ width, height }) => Math.min(width, height) < 40)
        .map(({ element, width, height }) => `${element.getAttribute('aria-label') ?? element.textContent} ${width}x${height}`),
    )
  }

  it.each(['light', 'dark'] as const)('has nothing that axe finds, on any page, in the %s theme', async (colorScheme) => {
    await app.open({ colorScheme, reducedMotion: 'reduce', bypassCSP: true })
    await app.composer().waitFor()
    expect(await axe()).toEqual([])
    const stream = await app.ask('Everything')
    stream.thought('Hm.')
    await app.page.getByText('Hm.').waitFor()
    expect(await axe()).toEqual([])
    stream.text(
      '# Title\n\n### Deep\n\n- [x] done\n- [ ] open\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\n# comment\nclass A:\n    x = "text" + 1\n```\n\n',
    )
    stream.text('![x](https://evil.example/x.png) [link](https://example.com) `code` \\(x^2\\)\n\n> quote')
    stream.finish()
    await app.settled('done')
    await app.page.locator('.hljs-comment').waitFor()
    await app.page.locator('.katex').waitFor()
    expect(await axe()).toEqual([])
    await app.page.getByRole('button', { name: 'Settings of this chat' }).click()
    await app.page.getByLabel('System prompt').waitFor()
    expect(await axe()).toEqual([])
    await app.page.keyboard.press('Escape')
    await app.page.getByRole('tooltip').waitFor()
    expect(await axe()).toEqual([])
    for (const name of ['Model: deepseek-r1:1.5b', 'Actions for “Everything”', 'Language']) {
      await app.page.getByRole('button', { name }).click()
      await app.page.getByRole('menu').waitFor()
      expect(await axe()).toEqual([])
      await app.page.keyboard.press('Escape')
    }
    app.server.refuseNextChat(503, { code: 'queue-full', data: { waiting: 64 }, message: '' })
    await app.composer().fill('Fail')
    await app.composer().press('Enter')
    await app.settled('failed')
    expect(await axe()).toEqual([])
    await app.page.getByRole('link', { name: 'Models' }).click()
    await app.page.getByTestId('model').first().waitFor()
    expect(await axe()).toEqual([])
    await app.page.getByRole('button', { name: 'Delete the model' }).first().click()
    await app.page.getByRole('dialog').waitFor()
    expect(await axe()).toEqual([])
    await app.page.keyboard.press('Escape')
    await app.page.getByRole('link', { name: 'Status' }).click()
    await app.page.getByText('Platinum').waitFor()
    expect(await axe()).toEqual([])
    await app.page.setViewportSize({ width: 600, height: 400 })
    expect(await axe()).toEqual([])
  })

  /** `RULE: SELECTOR: WHY` for each finding, once nothing fades in any more: what is still transparent counts as hidden. */
  async function axe(): Promise<string[]> {
    await app.page.evaluate(async () => {
      const finite = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
      await Promise.allSettled(finite.map(({ finished }) => finished))
    })
    if (!(await app.page.evaluate(() => 'axe' in globalThis))) await app.page.addScriptTag({ path: axeFile })
    return app.page.evaluate(async () => {
      interface Found {
        violations: { id: string; nodes: { target: unknown[]; failureSummary?: string }[] }[]
      }
      const { axe: checker } = globalThis as unknown as { axe: { run(): Promise<Found> } }
      const { violations } = await checker.run()
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary ?? ''}`),
      )
    })
  }
})
