/** Opens an address in the user's browser, where there is one in front of the user. */
import { spawn } from 'node:child_process'
import type { Environment } from '../config/environment.ts'

export interface DesktopFacts {
  env: Environment
  platform: NodeJS.Platform
  isTty: boolean
}

/** False in CI, over SSH, without a terminal, and on Linux without a display. */
export function hasDesktop({ env, platform, isTty }: DesktopFacts): boolean {
  if (!isTty || env['CI'] || env['SSH_CONNECTION'] || env['SSH_TTY']) return false
  if (platform === 'darwin' || platform === 'win32') return true
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'])
}

/** The system's program for opening addresses. */
export function openCommand(platform: NodeJS.Platform, address: string): { command: string; args: string[] } {
  if (platform === 'darwin') return { command: 'open', args: [address] }
  // `start` is a word of cmd; the empty text is the window's title.
  if (platform === 'win32') return { command: 'cmd', args: ['/c', 'start', '""', address] }
  return { command: 'xdg-open', args: [address] }
}

/** Never fails: the address was printed too. */
export async function openBrowser(address: string, platform: NodeJS.Platform = process.platform): Promise<void> {
  const { command, args } = openCommand(platform, address)
  const child = spawn(command, args, { stdio: 'ignore', detached: true, windowsHide: true })
  child.on('error', () => {})
  child.unref()
}
