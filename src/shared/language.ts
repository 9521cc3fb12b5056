/** The two languages that everything a person reads exists in. */
export const LANGUAGES = ['en', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]
export type Localized = Record<Language, string>
