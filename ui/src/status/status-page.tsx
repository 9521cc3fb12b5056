import { useEffect, type JSX, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Deployment, Hardware, Status } from '../../../src/shared/api.ts'
import { errorData, isConnectionError } from '../api/client.ts'
import { useDeployments, useHardware, useStatus } from '../api/queries.ts'
import { ErrorNote } from '../chat/error-note.tsx'
import { StateDot } from '../components/state-dot.tsx'
import { useNow } from '../components/use-now.ts'
import { useFormat } from '../i18n/format.ts'
import { PageHeader } from '../shell/page-header.tsx'
import { Meter } from './meter.tsx'

/** What the machine has, what runs on it, and the server itself. */
export default function StatusPage(): JSX.Element {
  const { t } = useTranslation()
  const hardware = useHardware()
  const status = useStatus()
  const { data: deployments, error } = useDeployments()
  useEffect(() => {
    document.title = `${t('status.title')} · bendi`
  }, [t])
  return (
    <>
      <PageHeader>
        <h1 className="px-1 text-[15px] font-semibold">{t('status.title')}</h1>
      </PageHeader>
      <div className="page flex flex-col gap-8" role="region" aria-label={t('status.title')} tabIndex={0}>
        <Section title={t('status.running')} error={error}>
          {deployments
            ?.filter(({ state }) => state !== 'stopped')
            .map((deployment) => (
              <DeploymentCard key={deployment.model} deployment={deployment} />
            ))}
          {deployments?.every(({ state }) => state === 'stopped') && <p className="text-sm text-muted">{t('status.nothingRuns')}</p>}
        </Section>
        <Section title={t('status.machine')} error={hardware.error}>
          {hardware.data && <Machine hardware={hardware.data} />}
        </Section>
        <Section title={t('status.server')} error={status.error}>
          {status.data && <Server status={status.data} />}
        </Section>
      </div>
    </>
  )
}

interface SectionProps {
  title: string
  /** Why there is nothing, or nothing new; a lost connection is told by the banner. */
  error?: Error | null
  children: ReactNode
}

function Section({ title, error, children }: SectionProps): JSX.Element {
  return (
    <section aria-label={title} className="flex flex-col gap-2.5">
      <h2 className="section-title mb-0">{title}</h2>
      {error && !isConnectionError(error) && <ErrorNote error={errorData(error)} />}
      {children}
    </section>
  )
}

function DeploymentCard({ deployment }: { deployment: Deployment }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const { info, state, running, waiting } = deployment
  const facts = [
    t(`state.${state}`),
    t('status.requests', { running: format.number(running), waiting: format.number(waiting) }),
    info && t('status.window', { amount: format.number(info.context) }),
    info?.kernel && t('status.kernel', { kernel: info.kernel }),
  ]
  return (
    <div className="rounded-2xl border border-line bg-card px-4 py-3.5 shadow-card">
      <p className="flex items-center gap-2.5 text-[15px] font-semibold">
        <StateDot state={state} />
        <span className="wrap-anywhere">{deployment.model}</span>
      </p>
      <p className="mt-1 text-[13px] text-muted tabular-nums">{facts.filter(Boolean).join(' · ')}</p>
      {info && <MemoryOf memory={info.memory} />}
    </div>
  )
}

function MemoryOf({ memory }: { memory: NonNullable<Deployment['info']>['memory'] }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const parts = (['weights', 'kv', 'compute'] as const).map((part) => ({
    name: t(`status.${part}`),
    value: memory[part],
    text: format.bytes(memory[part]),
  }))
  return (
    <div className="mt-3">
      <Meter label={t('status.memory')} parts={parts} total={memory.weights + memory.kv + memory.compute} showParts />
    </div>
  )
}

function Machine({ hardware }: { hardware: Hardware }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const { cpu, memory, disk, gpus } = hardware
  const total = memory.limitBytes ?? memory.totalBytes
  const free = (freeBytes: number, totalBytes: number): string =>
    t('status.free', { free: format.bytes(freeBytes), total: format.bytes(totalBytes) })
  return (
    <dl className="facts">
      <Fact name={t('status.processor')}>
        {cpu.model} · {t('status.cores', { amount: format.number(cpu.cores, 1) })}
      </Fact>
      <Fact name={t('status.memory')}>
        {free(memory.availableBytes, total)}
        <Meter
          label={t('status.memory')}
          parts={[{ name: t('status.memory'), value: total - memory.availableBytes, text: '' }]}
          total={total}
        />
      </Fact>
      <Fact name={t('status.disk')}>
        {free(disk.freeBytes, disk.totalBytes)}
        <Meter
          label={t('status.disk')}
          parts={[{ name: t('status.disk'), value: disk.totalBytes - disk.freeBytes, text: '' }]}
          total={disk.totalBytes}
        />
      </Fact>
      <Fact name={t('status.gpu')}>
        {gpus.length === 0
          ? t('status.noGpu')
          : gpus.map((gpu, index) => (
              // Eight cards of one kind have one name; their places do not change.
              <p key={index}>{`${gpu.name} · ${free(gpu.freeBytes, gpu.memoryBytes)}`}</p> // oxlint-disable-line react/no-array-index-key
            ))}
      </Fact>
    </dl>
  )
}

function Server({ status }: { status: Status }): JSX.Element {
  const now = useNow(1000)
  const { t } = useTranslation()
  const format = useFormat()
  return (
    <dl className="facts">
      <Fact name={t('status.version')}>{status.version}</Fact>
      <Fact name={t('status.uptime')}>{format.duration(Math.max(0, now - status.startedAt))}</Fact>
      <Fact name={t('status.home')}>
        <span className="font-mono text-[13px] wrap-anywhere">{status.home}</span>
      </Fact>
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }): JSX.Element {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
