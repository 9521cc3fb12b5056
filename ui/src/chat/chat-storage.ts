/** Chats in localStorage: one key a chat, so that two tabs do not overwrite each other's. Bounded; the oldest go first. */
import { isAnswering, type Message } from './chat.ts'
import type { ChatStore, SavedChat } from './chat-store.ts'

const PREFIX = 'bendi.chat.'
/** Characters of all chats together; browsers give about 5 million. */
const MAX_CHARACTERS = 3_500_000
const MAX_CHATS = 200
/** ms between a change and its being kept; longer while an answer grows, since a whole chat is written each time. */
const SAVE_DELAY_MS = 400
const SAVE_GROWING_MS = 2000

export interface ChatStorageOptions {
  storage: Storage
  store: ChatStore
  maxCharacters?: number
  schedule?: (run: () => void, delayMs: number) => void
}

export interface ChatStorage {
  /** Loads what is kept, then keeps every change. */
  start(): void
  /** Keeps what has changed, now. */
  flush(): void
  /** Another tab changed a key. */
  onOtherTab(key: string | null): void
}

export function createChatStorage({
  storage,
  store,
  maxCharacters = MAX_CHARACTERS,
  schedule = defaultSchedule,
}: ChatStorageOptions): ChatStorage {
  const dirty = new Set<string>()
  let scheduled = false
  let quiet = false
  const flush = (): void => {
    scheduled = false
    for (const id of dirty) save(storage, store, id)
    if (dirty.size > 0) shrink(storage, maxCharacters)
    dirty.clear()
  }
  const quietly = (run: () => void): void => {
    quiet = true
    run()
    quiet = false
  }
  store.onChange((id) => {
    if (quiet) return
    dirty.add(id)
    if (scheduled) return
    scheduled = true
    schedule(flush, store.messages(id).some((message) => isAnswering(message)) ? SAVE_GROWING_MS : SAVE_DELAY_MS)
  })
  return {
    start: () => quietly(() => chatKeys(storage).forEach((key) => load(storage, store, key))),
    flush,
    onOtherTab: (key) => {
      if (!key?.startsWith(PREFIX)) return
      const id = key.slice(PREFIX.length)
      if (store.messages(id).some((message) => isAnswering(message))) return
      quietly(() => (storage.getItem(key) === null ? store.remove(id) : load(storage, store, key)))
    },
  }
}

function defaultSchedule(run: () => void, delayMs: number): void {
  setTimeout(run, delayMs)
}

function chatKeys(storage: Storage): string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '').filter((key) => key.startsWith(PREFIX))
}

function load(storage: Storage, store: ChatStore, key: string): void {
  const saved = parse(storage.getItem(key))
  if (saved) store.restore({ chat: saved.chat, messages: saved.messages.map((message) => settle(message)) })
}

/** An answer that was running when the page closed cannot go on. */
function settle(message: Message): Message {
  if (message.role === 'user' || !isAnswering(message)) return message
  const { waiting: _, requestId: __, ...rest } = message
  return { ...rest, state: 'interrupted' }
}

function parse(text: string | null): SavedChat | undefined {
  try {
    const saved = JSON.parse(text ?? '') as SavedChat
    return typeof saved.chat.id === 'string' && Array.isArray(saved.chat.messageIds) && Array.isArray(saved.messages) ? saved : undefined
  } catch {
    return undefined
  }
}

/** A chat without a question is not kept. When the storage is full, the oldest chats make room. */
function save(storage: Storage, store: ChatStore, id: string): void {
  const chat = store.chat(id)
  if (!chat || chat.messageIds.length === 0) {
    storage.removeItem(PREFIX + id)
    return
  }
  const text = JSON.stringify({ chat, messages: store.messages(id) })
  while (!trySet(storage, PREFIX + id, text)) if (dropOldest(storage, PREFIX + id) === 0) return
}

function trySet(storage: Storage, key: string, text: string): boolean {
  try {
    storage.setItem(key, text)
    return true
  } catch {
    return false
  }
}

function shrink(storage: Storage, maxCharacters: number): void {
  const sizes = chatKeys(storage).map((key) => storage.getItem(key)?.length ?? 0)
  let size = sizes.reduce((sum, length) => sum + length, 0)
  for (let count = sizes.length; size > maxCharacters || count > MAX_CHATS; count -= 1) {
    const dropped = dropOldest(storage)
    if (dropped === 0) return
    size -= dropped
  }
}

/** Answers how many characters became free; the only chat there is stays. */
function dropOldest(storage: Storage, except?: string): number {
  const updatedAt = (key: string): number => parse(storage.getItem(key))?.chat.updatedAt ?? 0
  const keys = chatKeys(storage).filter((key) => key !== except)
  const [oldest] = keys.map((key) => ({ key, at: updatedAt(key) })).toSorted((one, other) => one.at - other.at)
  if (!oldest || (except === undefined && keys.length === 1)) return 0
  const size = storage.getItem(oldest.key)?.length ?? 0
  storage.removeItem(oldest.key)
  return size
}
