import type { JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { StateDot } from '../components/state-dot.tsx'
import { ChevronIcon, CubeIcon } from '../components/ui/icons.tsx'
import { Menu, MenuChoice, MenuItem, MenuLine } from '../components/ui/menu.tsx'
import { useFormat } from '../i18n/format.ts'
import type { ModelOption } from './model-choice.ts'

export interface ModelPickerProps {
  options: readonly ModelOption[]
  model: string | undefined
  onChange: (model: string) => void
}

export function ModelPicker({ options, model, onChange }: ModelPickerProps): JSX.Element {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const chosen = options.find(({ name }) => name === model)
  const trigger = (
    <button
      type="button"
      aria-label={model ? t('picker.label', { model }) : t('picker.choose')}
      className="flex h-9 pointer-coarse:h-10 max-w-full min-w-0 items-center gap-2 rounded-xl px-2.5 text-[15px] font-medium transition-colors hover:bg-hover"
    >
      {chosen && <StateDot state={chosen.state} />}
      <span className="truncate">{model ?? t('picker.none')}</span>
      <ChevronIcon className="shrink-0 text-muted" />
    </button>
  )
  return (
    <Menu trigger={trigger} className="max-h-[min(28rem,70dvh)] w-[min(26rem,calc(100vw-24px))] overflow-y-auto">
      {options.length > 0 && (
        <>
          <MenuChoice
            label={t('picker.choose')}
            value={model}
            onChange={onChange}
            options={options.map((option) => ({ value: option.name, content: <Option option={option} /> }))}
          />
          <MenuLine />
        </>
      )}
      <MenuItem onSelect={() => navigate('/models')}>
        <CubeIcon className="text-muted" />
        {t('picker.manage')}
      </MenuItem>
    </Menu>
  )
}

function Option({ option }: { option: ModelOption }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const state = option.state === 'stopped' ? t('picker.starts') : t(`state.${option.state}`)
  const facts = [state, option.quantization, option.bytes === undefined ? undefined : format.bytes(option.bytes)]
  return (
    <span className="flex min-w-0 items-center gap-2.5 py-0.5">
      <StateDot state={option.state} />
      <span className="flex min-w-0 flex-col">
        <span className="line-clamp-3 font-medium wrap-anywhere">{option.name}</span>
        <span className="truncate text-xs text-muted">{facts.filter(Boolean).join(' · ')}</span>
      </span>
    </span>
  )
}
