import type { JSX } from 'react'
import { useTranslation } from 'react-i18next'
import type { Waiting } from '../../../src/shared/openai.ts'
import { useFormat } from '../i18n/format.ts'

/** Why nothing has come yet: the place in line, the model being loaded, the prompt being read. */
export function WaitingStatus({ waiting }: { waiting: Waiting | undefined }): JSX.Element {
  const text = useWaitingText(waiting)
  const fraction = fractionOf(waiting)
  return (
    <div className="flex flex-col gap-2.5 py-1.5" data-testid="waiting">
      <div className="flex items-center gap-2.5 text-[15px] text-muted">
        <span className="pulse-dot" aria-hidden="true" />
        <span className="tabular-nums">{text}</span>
      </div>
      {fraction !== undefined && (
        <div
          className="h-1 w-56 max-w-full overflow-hidden rounded-full bg-line"
          role="progressbar"
          aria-label={text}
          aria-valuenow={Math.round(fraction * 100)}
          aria-valuemin={0}
          aria-valuemax={100}
        >
          <div className="h-full rounded-full bg-accent transition-[width] duration-300" style={{ width: `${fraction * 100}%` }} />
        </div>
      )}
    </div>
  )
}

function useWaitingText(waiting: Waiting | undefined): string {
  const { t } = useTranslation()
  const format = useFormat()
  if (!waiting) return t('waiting.sending')
  switch (waiting.type) {
    case 'queued':
      return waiting.position <= 1 ? t('waiting.next') : t('waiting.queued', { position: format.ordinal(waiting.position) })
    case 'loading':
      if (waiting.fraction === undefined) return t('waiting.loading', { model: waiting.model })
      return t('waiting.loadingPercent', { model: waiting.model, percent: format.percent(waiting.fraction) })
    case 'prefill':
      return t('waiting.prefill', { percent: format.percent(fractionOf(waiting) ?? 0) })
  }
}

function fractionOf(waiting: Waiting | undefined): number | undefined {
  if (waiting?.type === 'loading') return waiting.fraction
  return waiting?.type === 'prefill' && waiting.total > 0 ? Math.min(1, waiting.done / waiting.total) : undefined
}
