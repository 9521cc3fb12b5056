import { useRef, useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation, useRoute } from 'wouter'
import { IconButton } from '../components/ui/button.tsx'
import { classNames } from '../components/ui/class-names.ts'
import { MoreIcon, PencilIcon, TrashIcon } from '../components/ui/icons.tsx'
import { Menu, MenuItem } from '../components/ui/menu.tsx'
import { showToast } from '../components/ui/toast.tsx'
import { useNow } from '../components/use-now.ts'
import { isComposing } from './composition.ts'
import { chatStore, removeChat, useChats, useMessage } from './conversations.ts'
import { isAnswering, type Chat } from './chat.ts'
import { groupChats } from './chat-groups.ts'

/** The kept chats by day. Renaming happens in place; deleting can be undone. */
export function ChatList({ onNavigate }: { onNavigate?: (() => void) | undefined }): JSX.Element {
  const { t } = useTranslation()
  const chats = useChats().filter(({ messageIds }) => messageIds.length > 0)
  const [, params] = useRoute('/chat/:id')
  const now = useNow(60_000)
  if (chats.length === 0) return <p className="px-3 py-2 text-[13px] leading-relaxed text-muted">{t('chats.none')}</p>
  return (
    <>
      {groupChats(chats, new Date(now)).map(({ group, chats: some }) => (
        <section key={group} aria-label={t(`chats.${group}`)}>
          <h2 className="px-3 pt-4 pb-1.5 text-xs font-medium text-muted">{t(`chats.${group}`)}</h2>
          <ul className="flex flex-col gap-0.5">
            {some.map((chat) => (
              <ChatRow key={chat.id} chat={chat} current={params?.id === chat.id} onNavigate={onNavigate} />
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}

interface ChatRowProps {
  chat: Chat
  current: boolean
  onNavigate: (() => void) | undefined
}

function ChatRow({ chat, current, onNavigate }: ChatRowProps): JSX.Element {
  const { t } = useTranslation()
  const [renaming, setRenaming] = useState(false)
  const answering = isAnswering(useMessage(chat.messageIds.at(-1)))
  const title = chat.title || t('chats.untitled')
  if (renaming) return <RenameRow chat={chat} title={title} onDone={() => setRenaming(false)} />
  return (
    <li className={classNames('group relative flex items-center rounded-lg transition-colors hover:bg-hover', current && 'bg-hover')}>
      <Link
        href={`/chat/${chat.id}`}
        aria-current={current ? 'page' : undefined}
        className={classNames(
          'flex h-9 pointer-coarse:h-10 min-w-0 flex-1 items-center gap-2 rounded-lg pr-9 pl-3 text-sm',
          current && 'font-medium',
        )}
        onClick={onNavigate}
      >
        <span className="truncate" dir="auto">
          {title}
        </span>
        {answering && <span className="pulse-dot" role="img" aria-label={t('chats.answering')} />}
      </Link>
      <ChatActions chat={chat} title={title} current={current} onRename={() => setRenaming(true)} />
    </li>
  )
}

function ChatActions({
  chat,
  title,
  current,
  onRename,
}: {
  chat: Chat
  title: string
  current: boolean
  onRename: () => void
}): JSX.Element {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const remove = (): void => {
    const removed = removeChat(chat.id)
    if (current) navigate('/')
    if (!removed) return
    showToast({ text: t('chats.deleted', { title }), action: { label: t('common.undo'), run: () => chatStore.restore(removed) } })
  }
  const trigger = (
    <IconButton label={t('chats.actions', { title })} size="small" className="reveal absolute right-0.5">
      <MoreIcon strokeWidth={2.4} />
    </IconButton>
  )
  return (
    <Menu trigger={trigger} align="end">
      <MenuItem onSelect={onRename}>
        <PencilIcon />
        {t('chats.rename')}
      </MenuItem>
      <MenuItem onSelect={remove} className="text-danger">
        <TrashIcon />
        {t('common.delete')}
      </MenuItem>
    </Menu>
  )
}

function RenameRow({ chat, title, onDone }: { chat: Chat; title: string; onDone: () => void }): JSX.Element {
  const { t } = useTranslation()
  const [text, setText] = useState(title)
  const left = useRef(false)
  const save = (): void => {
    if (left.current) return
    if (text.trim() && text.trim() !== title) chatStore.updateChat(chat.id, { title: text.trim(), renamed: true })
    onDone()
  }
  // The field loses the focus by that, which would save.
  const leave = (): void => {
    left.current = true
    onDone()
  }
  return (
    <li>
      <input
        ref={selectAll}
        value={text}
        maxLength={120}
        aria-label={t('chats.renameLabel')}
        className="field h-9 w-full px-3 text-sm"
        onChange={(event) => setText(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (isComposing(event)) return
          if (event.key === 'Enter') save()
          if (event.key === 'Escape') {
            // It is meant for the name, not for an answer that streams.
            event.preventDefault()
            leave()
          }
        }}
      />
    </li>
  )
}

/** After the menu has given the focus back. */
function selectAll(input: HTMLInputElement | null): void {
  if (!input) return
  requestAnimationFrame(() => input.select())
}
