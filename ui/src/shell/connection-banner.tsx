import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { isConnectionError } from '../api/client.ts'
import { useDeployments } from '../api/queries.ts'
import { Button } from '../components/ui/button.tsx'
import { AlertIcon } from '../components/ui/icons.tsx'

/** Shown while the server does not answer; asks again by itself. */
export function ConnectionBanner(): JSX.Element | false {
  const { t } = useTranslation()
  const { error, refetch } = useDeployments()
  const lost = isConnectionError(error)
  useRefreshAfter(lost)
  return (
    lost && (
      <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line bg-warning-soft px-4 py-2 text-sm">
        <AlertIcon className="shrink-0 text-warning" />
        <p className="min-w-0 flex-1">
          <strong className="font-semibold">{t('connection.lost')}</strong> {t('connection.lostHint')}
        </p>
        <Button className="h-8" onClick={() => void refetch()}>
          {t('connection.retry')}
        </Button>
      </div>
    )
  )
}

/** Once the server is back, everything that the page knows of it is asked again. */
function useRefreshAfter(lost: boolean): void {
  const queries = useQueryClient()
  const wasLost = useRef(false)
  useEffect(() => {
    if (wasLost.current && !lost) void queries.invalidateQueries()
    wasLost.current = lost
  }, [lost, queries])
}
