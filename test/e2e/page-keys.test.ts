/** The keyboard, and changing what was asked, in a real browser. */
import { describe, expect, it } from 'vitest'
import { noBrowser, usePage } from './page-harness.ts'

describe.skipIf(noBrowser !== undefined)(`the keys of the page (${noBrowser ?? 'in Chromium'})`, () => {
  const app = usePage()

  it('stops on Escape wherever the focus is, but not when a menu or an input method takes the key', async () => {
    const stream = await app.ask('Count')
    stream.text('one two')
    await app.answer().getByText('one two').waitFor()
    await app.composer().evaluate((field) => {
      const escape = { key: 'Escape', bubbles: true, cancelable: true }
      field.dispatchEvent(new KeyboardEvent('keydown', { ...escape, isComposing: true }))
      field.dispatchEvent(new KeyboardEvent('keydown', { ...escape, keyCode: 229 } as KeyboardEventInit))
    })
    await app.page.getByRole('button', { name: /^Model: / }).click()
    await app.page.getByRole('menu').waitFor()
    await app.page.keyboard.press('Escape')
    await app.page.getByRole('menu').waitFor({ state: 'detached' })
    stream.text(' three')
    await app.answer().getByText('one two three').waitFor()
    await app.page.locator('.scroller').focus()
    await app.page.keyboard.press('Escape')
    await stream.closed
    await app.settled('stopped')
    expect(await app.answer().textContent()).toContain('one two three')
  })

  it('edits the last question on the up arrow in an empty field; Escape leaves it, and gives the field back', async () => {
    await answered('First?', 'One.')
    await answered('Second?', 'Two.')
    await app.composer().fill('not empty')
    await app.composer().press('ArrowUp')
    expect(await app.composer().inputValue()).toBe('not empty')
    await app.composer().fill('')
    await app.composer().press('ArrowUp')
    const editor = app.page.getByRole('textbox', { name: 'Edit your question' })
    expect(await editor.inputValue()).toBe('Second?')
    await editor.fill('changed')
    await editor.press('Escape')
    await editor.waitFor({ state: 'detached' })
    await expect.poll(() => app.composer().evaluate((field) => field === document.activeElement)).toBe(true)
    expect(await app.page.locator('.question').allTextContents()).toEqual(['First?', 'Second?'])
    await app.composer().press('ArrowUp')
    await editor.press('!')
    await editor.press('Enter')
    const stream = await app.server.nextChat()
    expect(stream.request.messages.at(-1)).toMatchObject({ content: 'Second?!' })
    stream.finish()
    await app.settled('done')
  })

  it('asks an earlier question differently, and takes that back with all that came after', async () => {
    await answered('First?', 'One.')
    await answered('Second?', 'Two.')
    await app.page.locator('.question').first().hover()
    await app.page.getByRole('button', { name: 'Edit', exact: true }).first().click()
    await app.page.getByRole('textbox', { name: 'Edit your question' }).fill('Other?')
    await app.page.getByRole('button', { name: 'Save and send' }).click()
    const stream = await app.server.nextChat()
    expect(stream.request.messages).toMatchObject([{ content: 'Other?' }])
    stream.text('Something')
    await app.answer().getByText('Something').waitFor()
    await app.page.getByRole('button', { name: 'Undo' }).click()
    await stream.closed
    await expect.poll(() => app.page.locator('.question').allTextContents()).toEqual(['First?', 'Second?'])
    expect(await app.answer().textContent()).toContain('Two.')
  })

  it('copies an answer as Markdown, and with its formatting for programs that know it', async () => {
    await app.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const text = '**bold** and \\(x^2\\)\n\n```js\nlet a = 1\n```\n\n| a |\n|---|\n| 1 |'
    await answered('Everything', text)
    await app.page.locator('.katex').waitFor()
    await app.answer().getByRole('button', { name: 'Copy', exact: true }).click()
    await app.answer().getByRole('button', { name: 'Copied' }).waitFor()
    const [plain, html] = await app.page.evaluate(async () => {
      const [item] = await navigator.clipboard.read()
      const read = async (type: string): Promise<string> => (await item?.getType(type))?.text() ?? ''
      return [await read('text/plain'), await read('text/html')]
    })
    expect(plain).toBe(text)
    expect(html).toMatch(/<strong>bold<\/strong>/)
    expect(html).toMatch(/<math\b.*<\/math>/s)
    expect(html).toContain('<code>let a = 1</code>')
    expect(html).toMatch(/<table\b/)
    expect(html).not.toMatch(/class=|<button|<svg/)
  })

  it('reaches everything by the Tab key, and shows where it is', async () => {
    await answered('Hello', 'Hi.')
    const names: string[] = []
    for (let presses = 0; presses < 30; presses += 1) {
      await app.page.keyboard.press('Tab')
      const [name, outlined] = await app.page.evaluate(() => {
        const element = document.activeElement
        const style = element ? getComputedStyle(element) : undefined
        // The composer shows it on its frame; between the last and the first the browser has it.
        const ringed = style?.outlineStyle !== 'none' || element?.matches('textarea, body') === true
        return [element?.getAttribute('aria-label') ?? element?.textContent ?? '', ringed] as const
      })
      names.push(name)
      expect([name, outlined]).toEqual([name, true])
    }
    for (const name of ['Skip to content', 'New chat', 'Models', 'Model: deepseek-r1:1.5b', 'Settings of this chat', 'Answer again'])
      expect(names).toContain(name)
  })

  async function answered(question: string, answer: string): Promise<void> {
    const stream = await app.ask(question)
    stream.text(answer)
    stream.finish()
    await app.settled('done')
    await expect.poll(() => app.answer().getAttribute('data-state')).toBe('done')
  }
})
