/** A chat in a real browser, against a server whose answers the test writes word by word. */
import { describe, expect, it } from 'vitest'
import { noBrowser, usePage } from './page-harness.ts'

describe.skipIf(noBrowser !== undefined)(`a chat on the page (${noBrowser ?? 'in Chromium'})`, () => {
  const app = usePage()

  it('sends on Enter and shows the answer as it streams, with its numbers', async () => {
    const stream = await app.ask('What is a tree?')
    expect(stream.request).toMatchObject({
      model: 'deepseek-r1:1.5b',
      stream: true,
      messages: [{ role: 'user', content: 'What is a tree?' }],
    })
    stream.text('A **tree** is ')
    await app.page.locator('.markdown strong', { hasText: 'tree' }).waitFor()
    expect(await app.answer().getAttribute('data-state')).toBe('streaming')
    stream.text('a graph without cycles.')
    stream.finish()
    await app.settled('done')
    expect(await app.answer().locator('.markdown').textContent()).toBe('A tree is a graph without cycles.')
    const numbers = await app.page.getByTestId('stats').textContent()
    expect(numbers).toContain('38.1 tokens/s')
    expect(numbers).toContain('2 tokens')
    expect(numbers).toContain('512 cached')
    expect(numbers).toMatch(/First token after [\d.]+ (ms|s)/)
    expect(await app.page.title()).toBe('What is a tree? · bendi')
  })

  it('sends what was written before it was known which models there are, as soon as it is', async () => {
    let tell = (): void => {}
    const told = new Promise<void>((resolve) => (tell = resolve))
    await app.page.route('**/v1/models', async (route) => {
      await told
      await route.continue()
    })
    await app.page.reload()
    await app.composer().fill('First')
    await app.composer().press('Enter')
    await app.composer().fill('Second')
    expect(await app.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
    await app.composer().press('Enter')
    expect(await app.composer().inputValue()).toBe('Second')
    tell()
    const stream = await app.server.nextChat()
    expect(stream.request).toMatchObject({ model: 'deepseek-r1:1.5b', messages: [{ role: 'user', content: 'Second' }] })
    stream.finish()
    await app.settled('done')
    expect(await app.composer().inputValue()).toBe('')
  })

  it('tells why nothing has come yet: the line, the loading, the prompt', async () => {
    const stream = await app.ask('Hello')
    const waiting = app.page.getByTestId('waiting')
    stream.comment('queued 3')
    await waiting.getByText('3rd in line').waitFor()
    stream.comment('loading deepseek-r1:1.5b 40%')
    await waiting.getByText('Loading deepseek-r1:1.5b · 40%').waitFor()
    stream.comment('prefill 120/600')
    await waiting.getByText('Reading the prompt · 20%').waitFor()
    stream.text('Hi')
    await app.answer().getByText('Hi').waitFor()
    expect(await waiting.count()).toBe(0)
    stream.finish()
    await app.settled('done')
  })

  it('stops: the connection closes, the words stay, and the next question can be sent', async () => {
    const stream = await app.ask('Count to a million')
    stream.text('one two three')
    await app.answer().getByText('one two three').waitFor()
    await app.page.getByRole('button', { name: 'Stop' }).click()
    await stream.closed
    await app.settled('stopped')
    expect(await app.answer().textContent()).toContain('one two three')
    const next = await app.ask('Thanks')
    expect(next.request.messages).toMatchObject([
      { content: 'Count to a million' },
      { role: 'assistant', content: 'one two three' },
      { content: 'Thanks' },
    ])
    next.finish()
    await app.settled('done')
  })

  it('unfolds thoughts while the model thinks and folds them at the first word of the answer', async () => {
    const stream = await app.ask('Why?')
    stream.thought('Let me think about it.')
    await app.page.getByText('Let me think about it.').waitFor()
    expect(await app.page.getByRole('button', { name: /^Thinking/ }).getAttribute('aria-expanded')).toBe('true')
    await app.page.getByRole('button', { name: 'Answer now' }).click()
    await expect.poll(() => app.server.requests.some(({ path }) => /^\/api\/requests\/[^/]+\/close-thought$/.test(path))).toBe(true)
    stream.text('Because.')
    const folded = app.page.getByRole('button', { name: /^Thought for/ })
    await folded.waitFor()
    expect(await folded.getAttribute('aria-expanded')).toBe('false')
    expect(await app.page.getByText('Let me think about it.').count()).toBe(0)
    await folded.click()
    await app.page.getByText('Let me think about it.').waitFor()
    stream.finish()
    await app.settled('done')
  })

  it('leaves thoughts open when the reader folded and unfolded them', async () => {
    const stream = await app.ask('Why?')
    stream.thought('First this.')
    await app.page.getByText('First this.').waitFor()
    await app.page.getByRole('button', { name: /^Thinking/ }).click()
    await app.page.getByRole('button', { name: /^Thinking/ }).click()
    stream.text('Because.')
    await app.page.getByRole('button', { name: /^Thought for/ }).waitFor()
    expect(await app.page.getByText('First this.').count()).toBe(1)
    stream.finish()
    await app.settled('done')
  })

  it('shows an error with its remedy, in the language of the reader, and tries again', async () => {
    app.server.refuseNextChat(503, { code: 'queue-full', data: { waiting: 64 }, message: '64 requests are waiting already.' })
    await app.composer().fill('Hello')
    await app.composer().press('Enter')
    const alert = app.answer().getByRole('alert')
    await alert.getByText('64 requests are waiting already.').waitFor()
    await alert.getByText('Try again in a moment.').waitFor()
    await alert.getByRole('button', { name: 'Try again' }).click()
    const stream = await app.server.nextChat()
    stream.text('Here I am.')
    stream.finish()
    await app.settled('done')
    expect(stream.request.messages).toMatchObject([{ role: 'user', content: 'Hello' }])
  })

  it('keeps the words that came before the stream broke, says that it broke, and goes on when the server is back', async () => {
    const stream = await app.ask('Hello')
    stream.text('Half an ans')
    await app.answer().getByText('Half an ans').waitFor()
    stream.cut()
    await app.settled('failed')
    expect(await app.answer().textContent()).toContain('Half an ans')
    await app.page.route('**/v1/chat/completions', (route) => route.abort())
    await app.answer().getByRole('button', { name: 'Try again' }).click()
    await app.answer().getByText('Half an ans').waitFor({ state: 'detached' })
    await app.settled('failed')
    await app.page.unroute('**/v1/chat/completions')
    await app.answer().getByRole('button', { name: 'Try again' }).click()
    const again = await app.server.nextChat()
    again.text('A whole answer.')
    again.finish()
    await app.settled('done')
    expect(await app.page.getByRole('alert').count()).toBe(0)
  })

  it('shows an error that comes in the middle of the stream', async () => {
    const stream = await app.ask('Hello')
    stream.text('Half')
    stream.error({ code: 'engine-crashed', data: { model: 'deepseek-r1:1.5b', reason: 'killed' }, message: 'crashed' })
    await app.answer().getByRole('alert').getByText('Send the request again.').waitFor()
    expect(await app.answer().locator('.markdown').textContent()).toBe('Half')
  })

  it('leaves Enter to the input method while it composes', async () => {
    await app.composer().focus()
    await app.composer().evaluate((element) => {
      const press = (init: KeyboardEventInit): boolean =>
        element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init }))
      const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set
      set?.call(element, '你好')
      element.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }))
      element.dispatchEvent(new InputEvent('input', { bubbles: true, isComposing: true }))
      press({ isComposing: true })
      element.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: '你好' }))
      press({ keyCode: 229 } as KeyboardEventInit)
    })
    expect(await app.composer().inputValue()).toBe('你好')
    expect(app.server.requests.filter(({ path }) => path === '/v1/chat/completions')).toEqual([])
    await app.composer().press('Shift+Enter')
    expect(await app.composer().inputValue()).toBe('你好\n')
    await app.composer().press('Enter')
    const stream = await app.server.nextChat()
    expect(stream.request.messages).toMatchObject([{ role: 'user', content: '你好' }])
    stream.finish()
    await app.settled('done')
  })

  it('answers again, and asks an edited question instead', async () => {
    const first = await app.ask('One?')
    first.text('Uno.')
    first.finish()
    await app.settled('done')
    await app.page.getByRole('button', { name: 'Answer again' }).click()
    const second = await app.server.nextChat()
    expect(second.request.messages).toMatchObject([{ role: 'user', content: 'One?' }])
    second.text('Eins.')
    second.finish()
    await app.settled('done')
    await app.page.locator('.question').hover()
    await app.page.getByRole('button', { name: 'Edit', exact: true }).click()
    await app.page.getByRole('textbox', { name: 'Edit your question' }).fill('Two?')
    await app.page.getByRole('button', { name: 'Save and send' }).click()
    const third = await app.server.nextChat()
    expect(third.request.messages).toMatchObject([{ role: 'user', content: 'Two?' }])
    third.text('Deux.')
    third.finish()
    await app.settled('done')
    expect(await app.page.getByTestId('answer').count()).toBe(1)
  })

  it('sends the system prompt and the limits of the chat', async () => {
    await app.page.getByRole('button', { name: 'Settings of this chat' }).click()
    await app.page.getByLabel('System prompt').fill('Answer in one word.')
    await app.page.getByLabel('Most tokens in an answer').fill('32')
    await app.page.getByLabel('Temperature').fill('0.2')
    await app.page.keyboard.press('Escape')
    const stream = await app.ask('Sky?')
    expect(stream.request).toMatchObject({
      temperature: 0.2,
      max_tokens: 32,
      messages: [{ role: 'system', content: 'Answer in one word.' }, { role: 'user' }],
    })
    stream.text('Blue')
    stream.finish('length')
    await app.page.getByText('The answer reached the limit of tokens.').waitFor()
  })

  it('says once that it answers and once that it has finished', async () => {
    const announcer = app.page.getByTestId('announcer')
    const stream = await app.ask('Hello')
    await announcer.getByText('Answering').waitFor()
    stream.text('many words come here')
    await app.answer().getByText('many words come here').waitFor()
    expect(await announcer.textContent()).toBe('Answering')
    stream.finish()
    await announcer.getByText('Answer finished').waitFor()
  })

  it('follows the end while it streams, but never against a reader who scrolled up', async () => {
    const stream = await app.ask('Long')
    const scroller = app.page.locator('.scroller')
    const gap = () => scroller.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight)
    stream.text(Array.from({ length: 60 }, (_, line) => `line ${line}\n\n`).join(''))
    // Before the lazy renderer is there, the text is shown plain, and taller.
    await app.answer().locator('p', { hasText: 'line 59' }).waitFor()
    await expect.poll(gap).toBeLessThan(2)
    await scroller.hover()
    await app.page.mouse.wheel(0, -600)
    await expect.poll(gap).toBeGreaterThan(300)
    // The wheel's motion goes on for some frames.
    const top = await scroller.evaluate(async (element) => {
      let last = -1
      while (last !== element.scrollTop) {
        last = element.scrollTop
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      return last
    })
    stream.text(Array.from({ length: 40 }, (_, line) => `more ${line}\n\n`).join(''))
    await app.answer().getByText('more 39').waitFor()
    expect(await scroller.evaluate((element) => element.scrollTop)).toBe(top)
    await app.page.getByRole('button', { name: 'To the latest' }).click()
    await expect.poll(gap).toBeLessThan(2)
    stream.finish()
    await app.settled('done')
  })
})
