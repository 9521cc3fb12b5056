import { useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import type { Deployment, Model } from '../../../src/shared/api.ts'
import { errorData } from '../api/client.ts'
import { useRemoveModel, useStartDeployment, useStopDeployment } from '../api/queries.ts'
import { setLastModel } from '../chat/conversations.ts'
import { ErrorNote } from '../chat/error-note.tsx'
import { StateDot } from '../components/state-dot.tsx'
import { Button, IconButton } from '../components/ui/button.tsx'
import { Dialog } from '../components/ui/dialog.tsx'
import { ChatIcon, PlayIcon, StopIcon, TrashIcon } from '../components/ui/icons.tsx'
import { useFormat } from '../i18n/format.ts'

export interface ModelRowProps {
  model: Model
  deployment: Deployment | undefined
}

/** One model of the library: what it is, whether it runs, and what can be done with it. */
export function ModelRow({ model, deployment }: ModelRowProps): JSX.Element {
  const start = useStartDeployment()
  const stop = useStopDeployment()
  const error = start.error ?? stop.error
  const failure = error ? errorData(error) : deployment?.error
  return (
    <li className="rounded-2xl border border-line bg-card px-4 py-3.5 shadow-card" data-testid="model">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-56">
          <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <span className="text-[15px] font-semibold wrap-anywhere">{model.name}</span>
            <StateWord state={start.isPending ? 'starting' : (deployment?.state ?? 'stopped')} />
          </p>
          <Facts model={model} />
        </div>
        <div className="flex items-center gap-1.5">
          <Actions name={model.name} deployment={deployment} start={start} stop={stop} />
          <RemoveButton model={model} />
        </div>
      </div>
      {failure && <ErrorNote error={failure} />}
    </li>
  )
}

/** A model that runs from where it lies, outside of the library. */
export function LooseModelRow({ deployment }: { deployment: Deployment }): JSX.Element {
  const { t } = useTranslation()
  const start = useStartDeployment()
  const stop = useStopDeployment()
  const error = start.error ?? stop.error
  const failure = error ? errorData(error) : deployment.error
  return (
    <li className="rounded-2xl border border-line bg-card px-4 py-3.5 shadow-card" data-testid="model">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-56">
          <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <span className="text-[15px] font-semibold wrap-anywhere">{deployment.model}</span>
            <StateWord state={deployment.state} />
          </p>
          <p className="mt-1 text-[13px] text-muted">{t('models.outside')}</p>
        </div>
        <Actions name={deployment.model} deployment={deployment} start={start} stop={stop} />
      </div>
      {failure && <ErrorNote error={failure} />}
    </li>
  )
}

function StateWord({ state }: { state: Deployment['state'] }): JSX.Element {
  const { t } = useTranslation()
  return (
    <span className="inline-flex items-center gap-1.5 text-[13px] text-muted">
      <StateDot state={state} />
      {t(`state.${state}`)}
    </span>
  )
}

function Facts({ model }: { model: Model }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const facts = [
    model.title === model.name ? undefined : model.title,
    t('models.parameters', { amount: format.compact(model.parameters) }),
    model.quantization,
    format.bytes(model.bytes),
    model.trainedContext > 0 ? t('models.context', { amount: format.number(model.trainedContext) }) : undefined,
    model.license,
  ]
  return <p className="mt-1 text-[13px] leading-relaxed text-muted">{facts.filter(Boolean).join(' · ')}</p>
}

interface ActionsProps {
  name: string
  deployment: Deployment | undefined
  start: ReturnType<typeof useStartDeployment>
  stop: ReturnType<typeof useStopDeployment>
}

function Actions({ name, deployment, start, stop }: ActionsProps): JSX.Element {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const state = deployment?.state ?? 'stopped'
  const runs = state === 'ready' || state === 'starting'
  const chat = (): void => {
    setLastModel(name)
    navigate('/')
  }
  return (
    <div className="flex items-center gap-1.5">
      {runs ? (
        <Button onClick={() => stop.mutate(deployment?.model ?? name)} disabled={stop.isPending}>
          <StopIcon />
          {t('models.stop')}
        </Button>
      ) : (
        <Button onClick={() => start.mutate({ model: name })} disabled={start.isPending || state === 'draining'}>
          <PlayIcon />
          {t('models.start')}
        </Button>
      )}
      <Button onClick={chat}>
        <ChatIcon />
        {t('models.chat')}
      </Button>
    </div>
  )
}

/** Files cannot be brought back by an undo: this asks first. */
function RemoveButton({ model }: { model: Model }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const [asking, setAsking] = useState(false)
  const remove = useRemoveModel()
  return (
    <>
      <IconButton label={t('models.remove')} onClick={() => setAsking(true)}>
        <TrashIcon />
      </IconButton>
      <Dialog open={asking} onOpenChange={setAsking} title={t('models.removeTitle', { model: model.name })}>
        <p className="text-sm text-muted">{t('models.removeText', { size: format.bytes(model.bytes) })}</p>
        {remove.error && <ErrorNote error={errorData(remove.error)} />}
        <div className="mt-5 flex justify-end gap-2">
          <Button onClick={() => setAsking(false)}>{t('common.cancel')}</Button>
          <Button
            look="danger"
            disabled={remove.isPending}
            onClick={() => remove.mutate(model.name, { onSuccess: () => setAsking(false) })}
          >
            {t('common.delete')}
          </Button>
        </div>
      </Dialog>
    </>
  )
}
