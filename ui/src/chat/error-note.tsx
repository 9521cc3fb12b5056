import { useEffect, useState, type JSX, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { localizeError } from '../../../src/shared/errors.ts'
import type { WireError } from '../../../src/shared/generate.ts'
import type { Language } from '../../../src/shared/language.ts'
import { loadReasons } from '../api/lazy-reasons.ts'
import { AlertIcon } from '../components/ui/icons.tsx'

/** What went wrong and what to do about it, in the reader's language. */
export function ErrorNote({ error, children }: { error: WireError; children?: ReactNode }): JSX.Element {
  const { i18n } = useTranslation()
  const language = i18n.language === 'zh' ? 'zh' : 'en'
  useReasons(language)
  const { message, hint } = localizeError(error, language)
  return (
    <div role="alert" className="my-2 flex gap-3 rounded-2xl border border-danger-line bg-danger-soft px-4 py-3 text-sm">
      <AlertIcon className="mt-0.5 shrink-0 text-lg text-danger" />
      <div className="min-w-0 flex-1">
        <p className="font-medium wrap-anywhere">{message}</p>
        {hint && <p className="mt-1 text-muted-strong wrap-anywhere">{hint}</p>}
        {children && <div className="mt-2.5 flex gap-2">{children}</div>}
      </div>
    </div>
  )
}

/** Renders again when the reasons can be told in Chinese. */
function useReasons(language: Language): void {
  const [, setLoaded] = useState(false)
  useEffect(() => {
    if (language === 'zh') void loadReasons().then(() => setLoaded(true))
  }, [language])
}
