import type { JSX, ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { BulbIcon, CodeIcon, CubeIcon, Seal, SigmaIcon, TableIcon } from '../components/ui/icons.tsx'

const suggestions = [
  ['explain', <BulbIcon key="explain" />],
  ['code', <CodeIcon key="code" />],
  ['compare', <TableIcon key="compare" />],
  ['math', <SigmaIcon key="math" />],
] as const satisfies readonly (readonly [string, ReactNode])[]

export function Greeting(): JSX.Element {
  const { t } = useTranslation()
  return (
    <div className="flex flex-col items-center px-4 text-center">
      <Seal className="mb-5 text-[26px]" />
      <h1 className="greeting">{t('chat.greeting')}</h1>
      <p className="mt-2 text-[15px] text-muted">{t('chat.greetingNote')}</p>
    </div>
  )
}

/** `ready`: a model can be asked. */
export function Suggestions({ ready, onChoose }: { ready: boolean; onChoose: (prompt: string) => void }): JSX.Element {
  const { t } = useTranslation()
  return (
    <ul className="grid grid-cols-1 gap-2.5 sm:grid-cols-2">
      {suggestions.map(([name, symbol]) => (
        <li key={name}>
          <button
            type="button"
            disabled={!ready}
            className="flex h-full w-full items-start gap-3 rounded-2xl border border-line bg-card px-4 py-3 text-left shadow-card transition-colors hover:bg-hover"
            onClick={() => onChoose(t(`suggestions.${name}.prompt`))}
          >
            <span className="mt-0.5 text-lg text-accent">{symbol}</span>
            <span className="flex min-w-0 flex-col">
              <span className="text-sm font-medium">{t(`suggestions.${name}.title`)}</span>
              <span className="line-clamp-2 text-[13px] leading-snug text-muted">{t(`suggestions.${name}.prompt`)}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}

export function NoModelYet(): JSX.Element {
  const { t } = useTranslation()
  return (
    <div className="flex flex-col items-center gap-4 rounded-2xl border border-line bg-card px-6 py-6 text-center shadow-card">
      <p className="text-sm text-muted">{t('chat.noModel')}</p>
      <Link
        href="/models"
        className="inline-flex h-10 items-center gap-2 rounded-xl bg-accent px-4 text-sm font-medium text-accent-ink hover:bg-accent-strong"
      >
        <CubeIcon />
        {t('models.add')}
      </Link>
    </div>
  )
}
