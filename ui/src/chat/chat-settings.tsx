import { useId, type JSX, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button, IconButton } from '../components/ui/button.tsx'
import { SlidersIcon } from '../components/ui/icons.tsx'
import { Popover } from '../components/ui/popover.tsx'
import { useFormat } from '../i18n/format.ts'
import type { ChatSettings } from './chat.ts'

const MAX_TEMPERATURE = 2
/** Where the slider begins when it is first moved. */
const USUAL_TEMPERATURE = 0.7

export interface ChatSettingsButtonProps {
  settings: ChatSettings
  onChange: (settings: ChatSettings) => void
}

export function ChatSettingsButton({ settings, onChange }: ChatSettingsButtonProps): JSX.Element {
  const { t } = useTranslation()
  const changed = settings.system.trim() !== '' || settings.temperature !== undefined || settings.maxTokens !== undefined
  const trigger = (
    <IconButton label={t('settings.title')} className={changed ? 'text-accent' : ''}>
      <SlidersIcon />
    </IconButton>
  )
  return (
    <Popover trigger={trigger} title={t('settings.title')}>
      <div className="flex flex-col gap-4">
        <div className="flex items-center justify-between">
          <h2 className="text-[15px] font-semibold">{t('settings.title')}</h2>
          <Button look="quiet" className="-my-1 -mr-2 h-8" disabled={!changed} onClick={() => onChange({ system: '' })}>
            {t('settings.reset')}
          </Button>
        </div>
        <SystemPrompt settings={settings} onChange={onChange} />
        <Temperature settings={settings} onChange={onChange} />
        <MaxTokens settings={settings} onChange={onChange} />
      </div>
    </Popover>
  )
}

function SystemPrompt({ settings, onChange }: ChatSettingsButtonProps): JSX.Element {
  const { t } = useTranslation()
  const id = useId()
  return (
    <Field id={id} label={t('settings.system')}>
      <textarea
        id={id}
        rows={3}
        value={settings.system}
        placeholder={t('settings.systemPlaceholder')}
        className="field max-h-48 resize-y px-3 py-2 text-sm"
        onChange={(event) => onChange({ ...settings, system: event.target.value })}
      />
    </Field>
  )
}

function Temperature({ settings, onChange }: ChatSettingsButtonProps): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const id = useId()
  const { temperature } = settings
  const value = temperature === undefined ? t('settings.modelDefault') : format.number(temperature, 1)
  return (
    <Field id={id} label={t('settings.temperature')} value={value} note={t('settings.temperatureNote')}>
      <input
        id={id}
        type="range"
        min={0}
        max={MAX_TEMPERATURE}
        step={0.1}
        value={temperature ?? USUAL_TEMPERATURE}
        aria-valuetext={value}
        className="slider"
        onChange={(event) => onChange({ ...settings, temperature: event.target.valueAsNumber })}
      />
    </Field>
  )
}

function MaxTokens({ settings, onChange }: ChatSettingsButtonProps): JSX.Element {
  const { t } = useTranslation()
  const id = useId()
  return (
    <Field id={id} label={t('settings.maxTokens')}>
      <input
        id={id}
        type="number"
        min={1}
        step={1}
        inputMode="numeric"
        value={settings.maxTokens ?? ''}
        placeholder={t('settings.maxTokensPlaceholder')}
        className="field h-10 px-3 text-sm"
        onChange={(event) => onChange({ ...settings, maxTokens: positive(event.target.valueAsNumber) })}
      />
    </Field>
  )
}

interface FieldProps {
  id: string
  label: string
  value?: string
  note?: string
  children: ReactNode
}

function Field({ id, label, value, note, children }: FieldProps): JSX.Element {
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex justify-between gap-3 text-[13px]">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        <span className="text-muted tabular-nums">{value}</span>
      </div>
      {children}
      {note && <p className="text-xs text-muted">{note}</p>}
    </div>
  )
}

function positive(value: number): number | undefined {
  return Number.isInteger(value) && value > 0 ? value : undefined
}
