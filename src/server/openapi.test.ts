import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createScriptedServer } from '../../test/fakes/scripted-server.ts'
import { LANGUAGES } from '../shared/language.ts'
import { groupTitles, wireRoutes } from '../shared/wire-routes.ts'
import { apiMarkdown } from './api-docs.ts'
import { openApiDocument, openApiPath, type OpenApiDocument } from './openapi.ts'

describe('the table of routes', () => {
  const documented = new Set(
    wireRoutes.flatMap(({ method, path, aliases = [] }) => [path, ...aliases].map((one) => `${method} ${openApiPath(one)}`)),
  )
  const { app } = createScriptedServer()
  const served = new Set(
    app.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '*' && path !== '/*')
      .map(({ method, path }) => `${method} ${openApiPath(path)}`),
  )

  test('has every route that the server answers', () => {
    expect([...served].filter((route) => !documented.has(route))).toEqual([])
  })

  test('has no route that the server does not answer', () => {
    expect([...documented].filter((route) => !served.has(route))).toEqual([])
  })
})

test('the document is served, and every reference in it leads somewhere', async () => {
  const { get } = createScriptedServer()
  const document = (await (await get('/openapi.json')).json()) as ReturnType<typeof openApiDocument>
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'bendi', version: '0.0.0-test' } })
  for (const [, reference = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/(components\/[^"]+)"/g)) {
    expect(reference.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document)).toBeDefined()
  }
  const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))
  expect(new Set(ids).size).toBe(ids.length)
})

test('the page needs no script, and shows every path', async () => {
  const { get } = createScriptedServer()
  const response = await get('/docs/api')
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  const html = await response.text()
  expect(html).not.toMatch(/<script|style="|onclick/)
  for (const { path } of wireRoutes) expect(html).toContain(openApiPath(path))
  expect((await get('/docs/api.css')).headers.get('content-type')).toContain('text/css')
})

test('the page and the document speak Chinese to who asks for it, and have the same routes', async () => {
  const { get } = createScriptedServer()
  const page = async (path: string, language?: string): Promise<string> =>
    (await get(path, language === undefined ? {} : { 'accept-language': language })).text()
  const english = await page('/docs/api')
  expect(english).toContain('<html lang="en">')
  const chinese = await page('/docs/api', 'zh-CN,zh;q=0.9,en;q=0.5')
  expect(chinese).toContain('<html lang="zh-CN">')
  expect(await page('/docs/api?lang=zh', 'en')).toBe(chinese)
  expect(await page('/docs/api?lang=en', 'zh')).toBe(english)
  expect(await page('/docs/api?lang=xx', 'zh')).toBe(chinese)
  for (const { path, summary } of wireRoutes) {
    expect(chinese).toContain(openApiPath(path))
    expect(chinese).toContain(summary.zh.replaceAll(/`([^`]*)`/g, '<code>$1</code>'))
  }
  const document = async (path: string): Promise<OpenApiDocument> =>
    (await get(path, { 'accept-language': 'zh' })).json() as Promise<OpenApiDocument>
  expect((await document('/openapi.json')).paths['/tokenize']?.post?.summary).toBe('Token ids of a text')
  expect((await document('/openapi.json?lang=zh')).paths['/tokenize']?.post?.summary).toBe('文本的 token 编号')
})

test('every text of the table is there in both languages, with the same code in it', () => {
  const codes = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code).toSorted()
  const texts = wireRoutes.flatMap(({ summary, notes }) => (notes ? [summary, notes] : [summary]))
  for (const { en, zh } of texts) {
    expect(zh).toMatch(/[\u4e00-\u9fff]/)
    expect(codes(zh)).toEqual(codes(en))
  }
  expect(wireRoutes.filter(({ group }) => !groupTitles[group])).toEqual([])
})

test.each(LANGUAGES)('docs/http-api in "%s" is current (else run: npx tsx scripts/write-api-docs.ts)', (language) => {
  const name = language === 'en' ? 'http-api.md' : `http-api.${language}.md`
  const written = readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8')
  expect(written).toBe(apiMarkdown(openApiDocument('', language), language))
})

test('a stream is described as its events, whose data is JSON in a text', () => {
  const { paths } = openApiDocument('')
  const good = paths['/v1/chat/completions']?.post?.responses['200']
  const schema = good && 'content' in good ? good.content?.['text/event-stream']?.schema : undefined
  expect(schema).toMatchObject({
    required: ['data'],
    properties: { data: { anyOf: [{ const: '[DONE]' }, { contentMediaType: 'application/json' }] } },
  })
})

test('a path that is there itself is not taken for the id of another', async () => {
  const { app } = createScriptedServer()
  const response = await app.request('/v1/responses/input_tokens', { method: 'OPTIONS' })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
})
