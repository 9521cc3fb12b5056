import { useEffect, useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { IconButton } from '../components/ui/button.tsx'
import { DownIcon } from '../components/ui/icons.tsx'
import type { Chat } from './chat.ts'
import { chatStore } from './conversations.ts'
import { MessageView, type Place } from './message-view.tsx'
import { NearContext, useNearWatch } from './use-near.ts'
import { useStickToBottom } from './use-stick-to-bottom.ts'

/** Characters at the end of a chat that are rendered in full at once when it opens. */
const EAGER_CHARACTERS = 6000

export interface MessageListProps {
  chat: Chat
  model: string | undefined
  /** The question that is being edited. */
  editing: string | undefined
  onEdit: (id: string | undefined) => void
}

export function MessageList({ chat, model, editing, onEdit }: MessageListProps): JSX.Element {
  const { t } = useTranslation()
  const { scroller, content, atEnd, toEnd } = useStickToBottom()
  const near = useNearWatch(scroller)
  const [plainAtFirst] = useState(() => earlyMessages(chat))
  const ids = chat.messageIds
  const last = ids.at(-1)
  useEffect(toEnd, [last, toEnd])
  return (
    <NearContext value={near}>
      <div className="relative min-h-0 flex-1">
        <div ref={scroller} className="scroller h-full overflow-y-auto" tabIndex={0} role="region" aria-label={chat.title}>
          <div ref={content} className="mx-auto flex w-full max-w-[46rem] flex-col gap-4 px-4 pt-4 pb-10 md:px-6">
            {ids.map((id, index) => (
              <MessageView
                key={id}
                id={id}
                chatId={chat.id}
                model={model}
                place={placeOf(ids.length - index)}
                eager={!plainAtFirst.has(id)}
                editing={editing === id}
                onEdit={onEdit}
              />
            ))}
          </div>
        </div>
        {!atEnd && (
          <IconButton
            label={t('chat.latest')}
            look="plain"
            size="touch"
            className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full! shadow-float"
            onClick={toEnd}
          >
            <DownIcon />
          </IconButton>
        )}
      </div>
    </NearContext>
  )
}

function placeOf(fromEnd: number): Place {
  if (fromEnd === 1) return 'last-answer'
  return fromEnd === 2 ? 'last-question' : 'earlier'
}

/** All but those that are rendered at once. */
function earlyMessages({ id, messageIds }: Chat): Set<string> {
  const messages = chatStore.messages(id)
  let characters = 0
  const begin = messages.findLastIndex(({ content }) => (characters += content.length) > EAGER_CHARACTERS)
  return new Set(messageIds.slice(0, begin + 1))
}
