import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createScriptedServer } from '../../test/fakes/scripted-server.ts'
import { wireRoutes } from '../shared/wire-routes.ts'
import { apiMarkdown } from './api-docs.ts'
import { openApiDocument, openApiPath } from './openapi.ts'

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

test('docs/http-api.md is current (else run: npx tsx scripts/write-api-docs.ts)', () => {
  const written = readFileSync(fileURLToPath(new URL('../../docs/http-api.md', import.meta.url)), 'utf8')
  expect(written).toBe(apiMarkdown(openApiDocument('')))
})
