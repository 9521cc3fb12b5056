import { afterEach, describe, expect, it } from 'vitest'
import type { MessagesPrompt, TemplateSource } from '../../formats/chat-template.ts'
import { createTemplateRenderer, type TemplateRenderer } from './template-thread.ts'

const prompt: MessagesPrompt = { type: 'messages', messages: [{ role: 'user', content: 'hi' }] }
const source = (template: string): TemplateSource => ({
  template,
  bosToken: '<s>',
  eosToken: '</s>',
  architecture: 'llama',
  name: 'hostile',
})
const good = source('{{ bos_token }}{{ messages[0].content }}')

describe('the template thread', () => {
  let renderer: TemplateRenderer | undefined
  afterEach(() => renderer?.close())

  it('renders what renderChatTemplate would', async () => {
    renderer = createTemplateRenderer({ timeoutMs: 5000 })
    expect(await renderer.render(good, prompt)).toMatchObject({ text: '<s>hi', startsWithBos: true })
  })

  it('keeps the error code and data of a refusal', async () => {
    renderer = createTemplateRenderer({ timeoutMs: 5000 })
    await expect(renderer.render(source(`{{ raise_exception('no') }}`), prompt)).rejects.toMatchObject({
      code: 'template-refused',
      data: { model: 'hostile', reason: 'no' },
    })
  })

  it('ends a template that runs too long, answers the waiting call and works again afterwards', async () => {
    renderer = createTemplateRenderer({ timeoutMs: 400 })
    const endless = source(
      '{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}',
    )
    const slow = renderer.render(endless, prompt)
    const next = renderer.render(good, prompt)
    await expect(slow).rejects.toMatchObject({ code: 'template-failed', data: { reason: 'it took longer than 400 ms' } })
    expect((await next).text).toBe('<s>hi')
  })

  it('ends a template that takes too much memory, and works again afterwards', async () => {
    renderer = createTemplateRenderer({ timeoutMs: 20_000, memoryMb: 32 })
    const doubling = `{% set ns = namespace(l=['x']) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}`
    await expect(renderer.render(source(doubling), prompt)).rejects.toMatchObject({ code: 'template-failed' })
    expect((await renderer.render(good, prompt)).text).toBe('<s>hi')
  })

  it('refuses calls after it was closed', async () => {
    renderer = createTemplateRenderer({ timeoutMs: 1000 })
    await renderer.close()
    await expect(renderer.render(good, prompt)).rejects.toMatchObject({ code: 'shutting-down' })
  })
})
