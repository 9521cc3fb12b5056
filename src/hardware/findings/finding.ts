/** How findings are put together. */
import type { Finding } from '../../shared/hardware.ts'
import type { Localized } from '../../shared/language.ts'

export function ok(id: string, title: Localized, detail: Localized): Finding {
  return { id, level: 'ok', title, detail }
}

export function warning(id: string, title: Localized, detail: Localized, remedy: Localized): Finding {
  return { id, level: 'warning', title, detail, remedy }
}

export function problem(id: string, title: Localized, detail: Localized, remedy: Localized): Finding {
  return { id, level: 'problem', title, detail, remedy }
}

/** Names and numbers that read the same in every language. */
export function same(text: string): Localized {
  return { en: text, zh: text }
}
