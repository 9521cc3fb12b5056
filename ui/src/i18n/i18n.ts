import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { Language } from '../../../src/shared/language.ts'
import { readText, writeText } from '../store/browser-storage.ts'
import { en } from './en.ts'
import { zh } from './zh.ts'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof en }
  }
}

/** Also read by public/before-paint.js. */
const STORAGE_KEY = 'bendi.language'

/** What the reader chose, else what the browser says. */
export function detectLanguage(stored: string | undefined, browser: string): Language {
  return /^zh/i.test(stored ?? browser) ? 'zh' : 'en'
}

export function startI18n(): void {
  void i18next.use(initReactI18next).init({
    lng: detectLanguage(readText(STORAGE_KEY), navigator.language),
    fallbackLng: 'en',
    resources: { en: { translation: en }, zh: { translation: zh } },
    // React escapes already.
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
    initAsync: false,
  })
  document.documentElement.lang = htmlLanguage(currentLanguage())
}

export function currentLanguage(): Language {
  return i18next.language === 'zh' ? 'zh' : 'en'
}

export function setLanguage(language: Language): void {
  writeText(STORAGE_KEY, language)
  document.documentElement.lang = htmlLanguage(language)
  void i18next.changeLanguage(language)
}

function htmlLanguage(language: Language): string {
  return language === 'zh' ? 'zh-CN' : 'en'
}
