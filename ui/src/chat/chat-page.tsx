import { useCallback, useEffect, useRef, useState, type JSX, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { PageHeader } from '../shell/page-header.tsx'
import { isAnswering, type Chat, type ChatSettings } from './chat.ts'
import { ChatSettingsButton } from './chat-settings.tsx'
import { Composer } from './composer.tsx'
import { ask, chatStore, createChat, stopAnswer, useChat, useMessage } from './conversations.ts'
import { Greeting, NoModelYet, Suggestions } from './empty-state.tsx'
import { MessageList } from './message-list.tsx'
import { chooseModel, useModelOptions } from './model-choice.ts'
import { ModelPicker } from './model-picker.tsx'
import { useEscape } from './use-escape.ts'

/** A chat, or the empty state where one begins. The chat is made when its first question is sent. */
export function ChatPage({ chatId }: { chatId?: string }): JSX.Element {
  const { t } = useTranslation()
  const chat = useChat(chatId)
  const [, navigate] = useLocation()
  const models = useModelOptions()
  const { options, known } = models
  const [begun, setBegun] = useState<{ model?: string; settings: ChatSettings }>({ settings: { system: '' } })
  const model = chooseModel(models, chat?.model ?? begun.model)
  const answering = isAnswering(useMessage(chat?.messageIds.at(-1)))
  const { editing, edit, editLast, area } = useEditing(chat)
  const stop = (): void => stopAnswer(chat?.id ?? '')
  useEscape(answering, stop)
  usePageTitle(chat, t('nav.newChat'))
  const missing = chatId !== undefined && chat === undefined
  useEffect(() => {
    if (missing) navigate('/', { replace: true })
  }, [missing, navigate])
  const onSend = (text: string): void => {
    if (!model) return
    const target = chat ?? createChat(begun.settings, model)
    ask(target.id, text, model)
    if (!chat) navigate(`/chat/${target.id}`)
  }
  const composer = (
    <Composer
      key={chatId ?? 'new'}
      chatId={chatId}
      answering={answering}
      ready={model !== undefined ? 'yes' : known ? 'no' : 'soon'}
      onSend={onSend}
      onStop={stop}
      onEditLast={editLast}
      area={area}
    />
  )
  return (
    <>
      <PageHeader>
        <ModelPicker
          options={options}
          model={model}
          onChange={(name) => (chat ? chatStore.updateChat(chat.id, { model: name }) : setBegun({ ...begun, model: name }))}
        />
        <span className="flex-1" />
        <ChatSettingsButton
          settings={chat?.settings ?? begun.settings}
          onChange={(settings) => (chat ? chatStore.updateChat(chat.id, { settings }) : setBegun({ ...begun, settings }))}
        />
      </PageHeader>
      {chat ? <h1 className="sr-only">{chat.title}</h1> : undefined}
      {chat ? (
        <MessageList key={chat.id} chat={chat} model={model} editing={editing} onEdit={edit} />
      ) : (
        <EmptyChat noModel={known && options.length === 0} ready={model !== undefined} onChoose={onSend} composer={composer} />
      )}
      {chat && (
        <div className="mx-auto w-full max-w-[46rem] px-3 pb-2 md:px-4">
          {composer}
          <Disclaimer />
        </div>
      )}
    </>
  )
}

interface Editing {
  /** The question that is being changed. */
  editing: string | undefined
  edit: (id: string | undefined) => void
  editLast: () => void
  /** The composer's field, which has the focus again afterwards. */
  area: RefObject<HTMLTextAreaElement | null>
}

function useEditing(chat: Chat | undefined): Editing {
  const [editing, setEditing] = useState<string>()
  const area = useRef<HTMLTextAreaElement>(null)
  const edit = useCallback((id: string | undefined) => {
    setEditing(id)
    if (id === undefined) area.current?.focus()
  }, [])
  // A question and its answer follow each other.
  const editLast = (): void => edit(chat?.messageIds.at(-2))
  return { editing, edit, editLast, area }
}

interface EmptyChatProps {
  noModel: boolean
  ready: boolean
  onChoose: (prompt: string) => void
  composer: JSX.Element
}

/** The greeting in the middle; on a phone the composer stays at the bottom, near the thumbs. */
function EmptyChat({ noModel, ready, onChoose, composer }: EmptyChatProps): JSX.Element {
  return (
    <div className="scroller flex min-h-0 flex-1 flex-col overflow-y-auto">
      <div className="mx-auto flex w-full max-w-[46rem] flex-1 flex-col px-3 pb-2 md:justify-center md:px-4 md:pb-[8vh]">
        <div className="my-auto flex flex-col justify-center py-6 md:my-0 md:pb-8">
          <Greeting />
        </div>
        <div className="flex flex-col gap-4 md:flex-col-reverse">
          {noModel ? <NoModelYet /> : <Suggestions ready={ready} onChoose={onChoose} />}
          <div>
            {composer}
            <Disclaimer />
          </div>
        </div>
      </div>
    </div>
  )
}

function Disclaimer(): JSX.Element {
  const { t } = useTranslation()
  return (
    <p className="pt-2 text-center text-xs text-muted">
      <span className="hidden pointer-fine:inline">{t('chat.hint')} · </span>
      {t('chat.disclaimer')}
    </p>
  )
}

function usePageTitle(chat: Chat | undefined, fallback: string): void {
  const title = chat?.title ?? fallback
  useEffect(() => {
    document.title = `${title} · bendi`
  }, [title])
}
