/** Light, dark, or as the system says. The class `dark` on the root element is first set by public/before-paint.js. */
import { useSyncExternalStore } from 'react'
import { readText, writeText } from '../store/browser-storage.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const STORAGE_KEY = 'bendi.theme'
const systemIsDark = '(prefers-color-scheme: dark)'
const listeners = new Set<() => void>()

export function currentTheme(): Theme {
  const stored = readText(STORAGE_KEY)
  return THEMES.find((theme) => theme === stored) ?? 'system'
}

export function setTheme(theme: Theme): void {
  writeText(STORAGE_KEY, theme === 'system' ? '' : theme)
  applyTheme()
  for (const listener of listeners) listener()
}

/** Applies the theme now and whenever the system's changes. */
export function startTheme(): void {
  applyTheme()
  matchMedia(systemIsDark).addEventListener('change', applyTheme)
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme)
}

function applyTheme(): void {
  const theme = currentTheme()
  const dark = theme === 'dark' || (theme === 'system' && matchMedia(systemIsDark).matches)
  document.documentElement.classList.toggle('dark', dark)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
