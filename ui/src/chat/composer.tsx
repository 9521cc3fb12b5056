import { useEffect, useLayoutEffect, useRef, type JSX, type KeyboardEvent, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { IconButton } from '../components/ui/button.tsx'
import { SendIcon, StopIcon } from '../components/ui/icons.tsx'
import { preloadMarkdown } from '../markdown/lazy-markdown.tsx'
import { isComposing } from './composition.ts'
import { trimLines } from './chat.ts'
import { useDraft } from './drafts.ts'

export interface ComposerProps {
  chatId: string | undefined
  answering: boolean
  /** A model can be asked; `soon`: it is not known yet which ones there are. */
  ready: 'yes' | 'no' | 'soon'
  onSend: (text: string) => void
  onStop: () => void
  /** ↑ in an empty field: the last question is to be changed. */
  onEditLast: () => void
  area: RefObject<HTMLTextAreaElement | null>
}

/** Where one writes. Enter sends, but never in the middle of a word that an input method is composing. */
export function Composer({ chatId, answering, ready, area, onSend, onStop, onEditLast }: ComposerProps): JSX.Element {
  const { t } = useTranslation()
  const [draft, setDraft] = useDraft(chatId)
  useFit(area)
  const mayBeSent = !answering && draft.trim() !== ''
  const canSend = mayBeSent && ready === 'yes'
  // Whoever is faster than the list of models is not asked to press again.
  const sendsSoon = useRef(false)
  const send = (): void => {
    sendsSoon.current = mayBeSent && ready === 'soon'
    if (!canSend) return
    setDraft('')
    onSend(trimLines(draft))
  }
  useEffect(() => {
    if (sendsSoon.current && ready !== 'soon') send()
  })
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isComposing(event)) return
    const isSend = event.key === 'Enter' && !event.shiftKey && !isTouch()
    const isEdit = event.key === 'ArrowUp' && draft === ''
    if (!isSend && !isEdit) return
    event.preventDefault()
    if (isSend) send()
    else onEditLast()
  }
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
      onClick={(event) => event.target === event.currentTarget && area.current?.focus()}
    >
      <textarea
        ref={area}
        rows={1}
        dir="auto"
        value={draft}
        autoFocus={!isTouch()}
        aria-label={t('chat.inputLabel')}
        placeholder={t('chat.placeholder')}
        enterKeyHint={isTouch() ? 'enter' : 'send'}
        className="max-h-[38dvh] min-h-10 flex-1 resize-none bg-transparent px-1 py-2 text-base outline-none placeholder:text-muted"
        onChange={(event) => {
          sendsSoon.current = false
          setDraft(event.target.value)
        }}
        onFocus={preloadMarkdown}
        onKeyDown={onKeyDown}
      />
      {answering ? (
        <IconButton label={t('chat.stop')} look="primary" size="touch" className="rounded-full!" onClick={onStop}>
          <StopIcon />
        </IconButton>
      ) : (
        <IconButton label={t('chat.send')} look="primary" size="touch" className="rounded-full!" type="submit" disabled={!canSend}>
          <SendIcon strokeWidth={2} />
        </IconButton>
      )}
    </form>
  )
}

/** The field is as high as its text, where the browser cannot do it by `field-sizing`. */
function useFit(area: RefObject<HTMLTextAreaElement | null>): void {
  useLayoutEffect(() => {
    const element = area.current
    if (!element || CSS.supports('field-sizing', 'content')) return
    element.style.setProperty('height', 'auto')
    element.style.setProperty('height', `${element.scrollHeight}px`)
  })
}

/** On a touch screen Enter makes a new line, as in every other app there. */
function isTouch(): boolean {
  return matchMedia('(pointer: coarse)').matches
}
