import { useMemo, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '../i18n/format.ts'
import type { AnswerStats } from './chat.ts'

/** Time to the first token, tokens a second, tokens, cached tokens. */
export function AnswerNumbers({ stats, model }: { stats: AnswerStats; model: string }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const parts = useMemo(() => {
    const { firstTokenMs, tokensPerSecond, completionTokens, cachedTokens } = stats
    return [
      firstTokenMs !== undefined && t('stats.firstToken', { duration: format.duration(firstTokenMs) }),
      tokensPerSecond !== undefined &&
        tokensPerSecond > 0 &&
        t('stats.rate', { rate: format.number(tokensPerSecond, tokensPerSecond < 100 ? 1 : 0) }),
      completionTokens !== undefined && t('stats.tokens', { count: completionTokens, amount: format.number(completionTokens) }),
      cachedTokens !== undefined && cachedTokens > 0 && t('stats.cached', { amount: format.number(cachedTokens) }),
    ].filter((part) => typeof part === 'string')
  }, [stats, t, format])
  return (
    <ul aria-label={t('stats.label')} className="stats" data-testid="stats">
      <li className="max-w-48 truncate">{model}</li>
      {parts.map((part) => (
        <li key={part}>{part}</li>
      ))}
    </ul>
  )
}
