import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkCaller, isOwnHost, requestIdOf, type Caller } from './policy.ts'

const RULES = { allowedHosts: ['bendi.lan'], corsOrigins: ['http://app.example'] }
const call = (more: Partial<Caller>): Caller => ({ method: 'GET', path: '/v1/models', host: '127.0.0.1:8400', ...more })

describe('the Host header', () => {
  test.each(['localhost', 'localhost:8400', 'LOCALHOST:1', '127.0.0.1:8400', '127.8.9.10', '[::1]:8400', 'bendi.lan:8400'])(
    '%s is this server',
    (host) => {
      expect(isOwnHost(host, RULES.allowedHosts)).toBe(true)
    },
  )

  test.each([
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:8400',
    'localhost:8400@evil.example',
    '[::2]',
    '0.0.0.0',
    'a b',
    '127.0.0.1:port',
  ])('"%s" is not', (host) => {
    expect(() => checkCaller(call({ host }), RULES)).toThrow(/is not this server/)
  })

  test('no other name passes', () => {
    const name = fc.domain().filter((domain) => domain !== 'bendi.lan')
    fc.assert(
      fc.property(name, (host) => {
        expect(isOwnHost(host, RULES.allowedHosts)).toBe(false)
      }),
    )
  })
})

describe('a page', () => {
  test('of ours may call', () => {
    expect(checkCaller(call({ origin: 'http://127.0.0.1:8400', fetchSite: 'same-origin' }), RULES)).toEqual({})
  })

  test.each(['http://evil.example', 'null', 'http://127.0.0.1:3000', 'http://localhost:8400', 'file://'])('of %s may not', (origin) => {
    expect(() => checkCaller(call({ origin }), RULES)).toThrow(/may not call/)
  })

  test('of an allowed origin may, and is told so', () => {
    expect(checkCaller(call({ origin: 'http://app.example', fetchSite: 'cross-site' }), RULES)).toEqual({
      corsOrigin: 'http://app.example',
    })
  })

  test('of any origin may when all are allowed', () => {
    expect(checkCaller(call({ origin: 'null' }), { ...RULES, corsOrigins: ['*'] })).toEqual({ corsOrigin: 'null' })
  })

  test.each(['cross-site', 'same-site'])('cannot load our API as an image or script (%s)', (fetchSite) => {
    expect(() => checkCaller(call({ path: '/stream-generate', fetchSite, fetchMode: 'no-cors' }), RULES)).toThrow(/may not call/)
    expect(() => checkCaller(call({ path: '/', fetchSite, fetchMode: 'no-cors' }), RULES)).toThrow(/may not call/)
  })

  test('elsewhere may link to our page, but not to what costs work', () => {
    expect(checkCaller(call({ path: '/chat', fetchSite: 'cross-site', fetchMode: 'navigate' }), RULES)).toEqual({})
    expect(() => checkCaller(call({ path: '/stream-generate', fetchSite: 'cross-site', fetchMode: 'navigate' }), RULES)).toThrow(
      /may not call/,
    )
  })

  test('that the user opened by typing is nobody else’s', () => {
    expect(checkCaller(call({ path: '/stream-generate', fetchSite: 'none', fetchMode: 'navigate' }), RULES)).toEqual({})
  })
})

test("a program's own request id is kept when it is harmless", () => {
  const newId = (): string => 'new'
  expect(requestIdOf('trace-1:a.b_c', newId)).toBe('trace-1:a.b_c')
  for (const bad of [undefined, '', 'a b', 'a\nb', 'é', 'x'.repeat(129)]) expect(requestIdOf(bad, newId)).toBe('new')
})
