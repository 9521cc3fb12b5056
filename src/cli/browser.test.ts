import { expect, it } from 'vitest'
import { hasDesktop, openCommand } from './browser.ts'

it.each([
  [{ env: { DISPLAY: ':0' }, platform: 'linux', isTty: true }, true],
  [{ env: { WAYLAND_DISPLAY: 'wayland-0' }, platform: 'linux', isTty: true }, true],
  [{ env: {}, platform: 'linux', isTty: true }, false],
  [{ env: { DISPLAY: ':0' }, platform: 'linux', isTty: false }, false],
  [{ env: { DISPLAY: ':0', SSH_CONNECTION: '1 2 3 4' }, platform: 'linux', isTty: true }, false],
  [{ env: {}, platform: 'darwin', isTty: true }, true],
  [{ env: { CI: 'true' }, platform: 'darwin', isTty: true }, false],
  [{ env: {}, platform: 'win32', isTty: true }, true],
] as const)('with %j there is a desktop: %s', (facts, expected) => {
  expect(hasDesktop(facts)).toBe(expected)
})

it('the address is opened by the program of each system', () => {
  const commands = (['linux', 'darwin', 'win32'] as const).map((platform) => openCommand(platform, 'http://a').command)
  expect(commands).toEqual(['xdg-open', 'open', 'cmd'])
})
