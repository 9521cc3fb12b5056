import type { JSX } from 'react'
import { useTranslation } from 'react-i18next'
import type { Pull } from '../../../src/shared/api.ts'
import { errorData } from '../api/client.ts'
import { isUnderWay, useCancelPull, usePausePull, useStartPull } from '../api/queries.ts'
import { ErrorNote } from '../chat/error-note.tsx'
import { Button, IconButton } from '../components/ui/button.tsx'
import { CloseIcon, PauseIcon, PlayIcon } from '../components/ui/icons.tsx'
import { useFormat } from '../i18n/format.ts'

/** One download, live. */
export function PullRow({ pull }: { pull: Pull }): JSX.Element {
  const { t, i18n } = useTranslation()
  const pause = usePausePull()
  const cancel = useCancelPull()
  const again = useStartPull()
  const refused = pause.error ?? cancel.error ?? again.error
  const failure = refused ? errorData(refused) : pull.error
  const fraction = pull.totalBytes > 0 ? pull.doneBytes / pull.totalBytes : undefined
  return (
    <li className="rounded-2xl border border-line bg-card px-4 py-3.5 shadow-card">
      <div className="flex items-center gap-3">
        <div className="min-w-0 flex-1">
          <p className="text-sm font-medium wrap-anywhere">{pull.reference}</p>
          <p className="mt-0.5 text-[13px] text-muted tabular-nums">{useProgressText(pull)}</p>
        </div>
        {isUnderWay(pull) && (
          <IconButton
            label={t(pull.state === 'paused' ? 'models.resumeDownload' : 'models.pauseDownload', { reference: pull.reference })}
            onClick={() => pause.mutate(pull)}
          >
            {pull.state === 'paused' ? <PlayIcon /> : <PauseIcon />}
          </IconButton>
        )}
        {isUnderWay(pull) && (
          <IconButton label={t('models.cancelDownload', { reference: pull.reference })} onClick={() => cancel.mutate(pull.id)}>
            <CloseIcon />
          </IconButton>
        )}
        {(pull.state === 'failed' || pull.state === 'cancelled') && (
          <Button onClick={() => again.mutate(pull.reference)}>{t('common.retry')}</Button>
        )}
      </div>
      {isUnderWay(pull) && (
        <progress className="bar mt-3" aria-label={pull.reference} max={1} {...(fraction === undefined ? {} : { value: fraction })} />
      )}
      {pull.notice && isUnderWay(pull) && (
        <p className="mt-2 text-[13px] text-muted">{pull.notice[i18n.language === 'zh' ? 'zh' : 'en']}</p>
      )}
      {failure && <ErrorNote error={failure} />}
    </li>
  )
}

function useProgressText(pull: Pull): string {
  const { t } = useTranslation()
  const format = useFormat()
  const { doneBytes, totalBytes, bytesPerSecond, etaSeconds, state, source } = pull
  const parts = [t(`models.download.${state}`), source]
  if (isUnderWay(pull) && totalBytes > 0) {
    parts.push(t('models.progress', { done: format.bytes(doneBytes), total: format.bytes(totalBytes) }))
    if (bytesPerSecond > 0 && state !== 'paused') parts.push(`${format.bytes(bytesPerSecond)}/s`)
    if (etaSeconds !== undefined && state !== 'paused')
      parts.push(t('models.left', { duration: format.duration(Math.max(1, Math.ceil(etaSeconds)) * 1000) }))
  }
  return parts.filter(Boolean).join(' · ')
}
