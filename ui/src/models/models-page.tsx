import { useEffect, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import type { Deployment, Model, Pull } from '../../../src/shared/api.ts'
import { errorData, isConnectionError } from '../api/client.ts'
import { useDeployments, useModels, usePulls } from '../api/queries.ts'
import { ErrorNote } from '../chat/error-note.tsx'
import { PageHeader } from '../shell/page-header.tsx'
import { LooseModelRow, ModelRow } from './model-row.tsx'
import { PullForm } from './pull-form.tsx'
import { PullRow } from './pull-row.tsx'

export default function ModelsPage(): JSX.Element {
  const { t } = useTranslation()
  const { data: pulls = [] } = usePulls()
  useEffect(() => {
    document.title = `${titleProgress(pulls)}${t('models.title')} · bendi`
  }, [pulls, t])
  const shown = pulls.filter(({ state }) => state !== 'done')
  return (
    <>
      <PageHeader>
        <h1 className="px-1 text-[15px] font-semibold">{t('models.title')}</h1>
      </PageHeader>
      <div className="page">
        <p className="mb-5 text-sm text-muted">{t('models.intro')}</p>
        <PullForm />
        {shown.length > 0 && (
          <section aria-label={t('models.downloads')} className="mt-8">
            <h2 className="section-title">{t('models.downloads')}</h2>
            <ul className="flex flex-col gap-2.5">
              {shown.map((pull) => (
                <PullRow key={pull.id} pull={pull} />
              ))}
            </ul>
          </section>
        )}
        <Library />
      </div>
    </>
  )
}

function Library(): JSX.Element {
  const { t } = useTranslation()
  const { data: models, error, isPending } = useModels()
  const { data: deployments = [] } = useDeployments()
  const belongs = (deployment: Deployment, model: Model): boolean => deployment.model === model.name || deployment.model === model.reference
  const others = deployments.filter((deployment) => deployment.state !== 'stopped' && !models?.some((model) => belongs(deployment, model)))
  return (
    <section aria-label={t('models.library')} className="mt-8">
      <h2 className="section-title">{t('models.library')}</h2>
      {error && !isConnectionError(error) && <ErrorNote error={errorData(error)} />}
      {isPending && <p className="text-sm text-muted">{t('common.loading')}</p>}
      {models?.length === 0 && others.length === 0 && (
        <p className="rounded-2xl border border-dashed border-line px-5 py-8 text-center text-sm text-muted">{t('models.empty')}</p>
      )}
      <ul className="flex flex-col gap-2.5">
        {models && others.map((deployment) => <LooseModelRow key={deployment.model} deployment={deployment} />)}
        {models?.map((model) => (
          <ModelRow key={model.reference} model={model} deployment={deployments.find((deployment) => belongs(deployment, model))} />
        ))}
      </ul>
    </section>
  )
}

/** `42% ` while something downloads, for the tab. */
function titleProgress(pulls: readonly Pull[]): string {
  const running = pulls.find(({ state, totalBytes }) => state === 'downloading' && totalBytes > 0)
  return running ? `${Math.floor((running.doneBytes / running.totalBytes) * 100)}% ` : ''
}
