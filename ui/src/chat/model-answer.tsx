import { memo, useRef, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { CopyButton } from '../components/copy-button.tsx'
import { plainHtml } from '../components/copy-html.ts'
import { Button, IconButton } from '../components/ui/button.tsx'
import { classNames } from '../components/ui/class-names.ts'
import { RetryIcon } from '../components/ui/icons.tsx'
import { LazyMarkdown } from '../markdown/lazy-markdown.tsx'
import { AnswerNumbers } from './answer-stats.tsx'
import { isAnswering, type AssistantMessage } from './chat.ts'
import { ErrorNote } from './error-note.tsx'
import { Thoughts } from './thoughts.tsx'
import { WaitingStatus } from './waiting-status.tsx'

export interface ModelAnswerProps {
  answer: AssistantMessage
  /** Absent where it is not the last answer. */
  onAgain?: (() => void) | undefined
}

export const ModelAnswer = memo(function ModelAnswer({ answer, onAgain }: ModelAnswerProps): JSX.Element {
  const { t } = useTranslation()
  const live = isAnswering(answer)
  const words = useRef<HTMLDivElement>(null)
  const html = (): string | undefined => plainHtml(words.current)
  return (
    <section className="group" aria-busy={live} data-testid="answer" data-state={answer.state}>
      <h2 className="sr-only">{t('chat.answer')}</h2>
      {answer.thoughts && <Thoughts answer={answer} />}
      {answer.state === 'waiting' && <WaitingStatus waiting={answer.waiting} />}
      {answer.content && (
        <div ref={words}>
          <LazyMarkdown text={answer.content} live={live} />
        </div>
      )}
      <Ending answer={answer} onAgain={onAgain} />
      {!live && (answer.content || answer.thoughts) && (
        <div className={classNames('-ml-2 mt-1.5 flex flex-wrap items-center gap-x-1', !onAgain && 'reveal')}>
          {answer.content && <CopyButton text={answer.content} html={html} label={t('common.copy')} />}
          {onAgain && answer.state !== 'failed' && (
            <IconButton label={t('chat.regenerate')} size="small" onClick={onAgain}>
              <RetryIcon />
            </IconButton>
          )}
          {answer.stats && <AnswerNumbers stats={answer.stats} model={answer.model} />}
        </div>
      )}
    </section>
  )
})

function Ending({ answer, onAgain }: ModelAnswerProps): JSX.Element | undefined {
  const { t } = useTranslation()
  const again = onAgain && (
    <Button className="h-8" onClick={onAgain}>
      <RetryIcon />
      {t('common.retry')}
    </Button>
  )
  if (answer.state === 'failed' && answer.error) return <ErrorNote error={answer.error}>{again}</ErrorNote>
  const nothing = !answer.content && !answer.thoughts
  const note = noteOf(answer, nothing)
  if (!note) return undefined
  return (
    <div className="mt-1 flex flex-wrap items-center gap-3 text-sm text-muted">
      {t(note)}
      {nothing && again}
    </div>
  )
}

function noteOf(
  { state, cutOff }: AssistantMessage,
  nothing: boolean,
): 'chat.stopped' | 'chat.interrupted' | 'chat.cutOff' | 'chat.empty' | undefined {
  if (state === 'stopped' || state === 'interrupted') return `chat.${state}`
  if (state !== 'done') return undefined
  if (cutOff) return 'chat.cutOff'
  return nothing ? 'chat.empty' : undefined
}
