import { useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../components/ui/button.tsx'
import { AlertIcon, RetryIcon } from '../components/ui/icons.tsx'

/** Instead of a part of the page that could not be loaded (the server is gone, or was upgraded since the page came) or that failed. */
export function BrokenPart({ error }: { error: unknown }): JSX.Element {
  const { t } = useTranslation()
  const [gone, setGone] = useState(false)
  const reload = async (): Promise<void> => {
    setGone(false)
    if (await answers()) location.reload()
    else setGone(true)
  }
  return (
    <div role="alert" className="m-auto flex max-w-md flex-col items-center gap-3 p-6 text-center">
      <AlertIcon className="text-2xl text-danger" />
      <h1 className="text-base font-semibold">{t('broken.title')}</h1>
      <p className="text-sm text-muted">{t('broken.hint')}</p>
      <p className="font-mono text-xs text-muted wrap-anywhere">{error instanceof Error ? error.message : String(error)}</p>
      <Button onClick={() => void reload()}>
        <RetryIcon />
        {t('broken.reload')}
      </Button>
      {gone && <p className="text-sm text-muted-strong">{t('broken.gone')}</p>}
    </div>
  )
}

/** A page that is loaded again while its server is away is lost altogether. */
async function answers(): Promise<boolean> {
  const response = await fetch('/health', { cache: 'no-store' }).catch(() => undefined)
  return response?.ok === true
}
