import { mkdir, mkdtemp, rm, writeFile, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createScriptedServer, type ScriptedServer } from '../../../test/fakes/scripted-server.ts'

const SCRIPT = `console.log(${JSON.stringify('x'.repeat(5000))})`
let home = ''
let server: ScriptedServer

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bendi-page-'))
  const folder = path.join(home, 'ui')
  await mkdir(path.join(folder, 'assets'), { recursive: true })
  await writeFile(path.join(home, 'secret.txt'), 'secret')
  await writeFile(path.join(folder, 'index.html'), '<!doctype html><title>bendi</title>')
  await writeFile(path.join(folder, 'assets', 'main-Ab3dEf9h.js'), SCRIPT)
  await writeFile(path.join(folder, 'assets', 'ready-Ab3dEf9h.css'), 'a{}'.repeat(1000))
  await writeFile(path.join(folder, 'assets', 'ready-Ab3dEf9h.css.gz'), 'made by the build')
  await writeFile(path.join(folder, '.hidden'), 'hidden')
  await symlink(path.join(home, 'secret.txt'), path.join(folder, 'link.txt'))
  server = createScriptedServer({ pageFolder: folder })
})

afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

describe('the page', () => {
  test.each(['/', '/index.html', '/chat', '/models/hf%3Aorg%2Frepo'])(
    '%s is index.html, under a strict policy and never cached unseen',
    async (address) => {
      const response = await server.get(address)
      expect(response.status).toBe(200)
      expect(await response.text()).toContain('<title>bendi</title>')
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(response.headers.get('cache-control')).toBe('no-cache')
      const policy = response.headers.get('content-security-policy')
      expect(policy).toContain("script-src 'self';")
      expect(policy).not.toContain('unsafe-eval')
      expect(policy).toContain("frame-ancestors 'none'")
    },
  )

  test('is not sent again when the browser has it', async () => {
    const { headers } = await server.get('/')
    const again = await server.get('/', { 'if-none-match': `W/${headers.get('etag')}` })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  test('files with a hash in their name are kept for ever', async () => {
    const response = await server.get('/assets/main-Ab3dEf9h.js')
    expect(response.headers.get('cache-control')).toContain('immutable')
    expect(response.headers.get('content-type')).toContain('text/javascript')
  })

  test('files are compressed as the browser likes, or as the build did', async () => {
    const get = async (name: string, encoding: string): Promise<[string | null, Buffer]> => {
      const response = await server.get(`/assets/${name}`, { 'accept-encoding': encoding })
      return [response.headers.get('content-encoding'), Buffer.from(await response.arrayBuffer())]
    }
    const [br, brotli] = await get('main-Ab3dEf9h.js', 'gzip, deflate, br')
    expect([br, brotliDecompressSync(brotli).toString()]).toEqual(['br', SCRIPT])
    const [gz, gzip] = await get('main-Ab3dEf9h.js', 'gzip, br;q=0')
    expect([gz, gunzipSync(gzip).toString()]).toEqual(['gzip', SCRIPT])
    expect((await get('main-Ab3dEf9h.js', ''))[0]).toBeNull()
    expect((await get('ready-Ab3dEf9h.css', 'gzip'))[1].toString()).toBe('made by the build')
  })

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/link.txt',
    '/.hidden',
    '/assets/%00.js',
    '/%ff.txt',
    '//etc/passwd',
  ])('%s leads nowhere else', async (address) => {
    expect(await (await server.get(address)).text()).not.toMatch(/^(secret|hidden|root:)/)
  })

  test('a file that does not exist is not the page', async () => {
    expect((await server.get('/assets/gone-12345678.js')).status).toBe(404)
    expect((await server.get('/favicon.ico')).status).toBe(404)
  })

  test('paths of the APIs are never the page', async () => {
    for (const address of ['/v1/nothing', '/api/nothing', '/v1', '/health/x']) expect((await server.get(address)).status).toBe(404)
    expect((await server.get('/generate')).status).toBe(405)
  })
})

test('without a built page says how to build it, and shows it as soon as it is there', async () => {
  const folder = path.join(home, 'later')
  const { get } = createScriptedServer({ pageFolder: folder })
  const before = await get('/', { 'accept-language': 'zh' })
  expect(before.status).toBe(503)
  expect(await before.text()).toContain('npm run build')
  await mkdir(folder)
  await writeFile(path.join(folder, 'index.html'), 'built')
  expect(await (await get('/')).text()).toBe('built')
})
