/**
 * Stands in for src/shared/localize-reason.ts inside the built page (see vite.config.ts): its tables are as large as the rest of the
 * texts, and only needed when an error is shown in Chinese.
 */
import type { Language } from '../../../src/shared/language.ts'

let localize: ((reason: string, language: Language) => string) | undefined

export function localizeReason(reason: string, language: Language): string {
  return localize?.(reason, language) ?? reason
}

/** Until then reasons are told in English. */
export async function loadReasons(): Promise<void> {
  localize ??= (await import('../../../src/shared/localize-reason.ts')).localizeReason
}
