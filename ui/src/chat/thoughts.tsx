import { useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../components/ui/button.tsx'
import { ChevronIcon } from '../components/ui/icons.tsx'
import { classNames } from '../components/ui/class-names.ts'
import { useNow } from '../components/use-now.ts'
import { useFormat } from '../i18n/format.ts'
import { LazyMarkdown } from '../markdown/lazy-markdown.tsx'
import type { AssistantMessage } from './chat.ts'
import { answerNow } from './conversations.ts'

/** Clicks on fold or unfold, by message: they win over the page's own folding, also after coming back. */
const choices = new Map<string, boolean>()

/** Open while the model thinks, folded at the first word of the answer. */
export function Thoughts({ answer }: { answer: AssistantMessage }): JSX.Element {
  const thinking = answer.thoughtMs === undefined && answer.state === 'streaming'
  const [choice, setChoice] = useState(() => choices.get(answer.id))
  const open = choice ?? thinking
  const toggle = (): void => {
    choices.set(answer.id, !open)
    setChoice(!open)
  }
  return (
    <div className="mb-3">
      <div className="flex items-center gap-3">
        <button
          type="button"
          aria-expanded={open}
          className="-ml-2 flex items-center gap-1.5 rounded-lg px-2 py-1 pointer-coarse:min-h-10 text-sm text-muted transition-colors hover:bg-hover hover:text-ink"
          onClick={toggle}
        >
          <span className={classNames('tabular-nums', thinking && 'shimmer')}>
            {thinking ? <ThinkingLabel since={answer.thinkingSince} /> : <ThoughtLabel durationMs={answer.thoughtMs} />}
          </span>
          <ChevronIcon className={classNames('transition-transform', !open && '-rotate-90')} />
        </button>
        {thinking && answer.requestId !== undefined && <AnswerNow answer={answer} />}
      </div>
      {open && (
        <div className="thoughts">
          <LazyMarkdown text={answer.thoughts} live={thinking} />
        </div>
      )}
    </div>
  )
}

function AnswerNow({ answer }: { answer: AssistantMessage }): JSX.Element {
  const { t } = useTranslation()
  const [asked, setAsked] = useState(false)
  const ask = (): void => {
    setAsked(true)
    void answerNow(answer)
  }
  return (
    <Button className="h-7" disabled={asked} onClick={ask}>
      {t('thoughts.answerNow')}
    </Button>
  )
}

function ThinkingLabel({ since }: { since: number | undefined }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  const now = useNow(1000)
  const seconds = since === undefined ? 0 : Math.floor((now - since) / 1000)
  return <>{seconds < 1 ? t('thoughts.thinking') : t('thoughts.thinkingFor', { duration: format.duration(seconds * 1000) })}</>
}

function ThoughtLabel({ durationMs }: { durationMs: number | undefined }): JSX.Element {
  const { t } = useTranslation()
  const format = useFormat()
  return <>{durationMs === undefined ? t('thoughts.stopped') : t('thoughts.thoughtFor', { duration: format.duration(durationMs) })}</>
}
