/** Chats in localStorage: one key a chat, so that two tabs do not overwrite each other's. Bounded; the oldest go first, and never unsaid. */
import { isAnswering } from './chat.ts'
import type { ChatStore } from './chat-store.ts'
import { readSavedChat } from './saved-chat.ts'

const PREFIX = 'bendi.chat.'
/** Characters of all chats together; browsers give about 5 million. */
const MAX_CHARACTERS = 3_500_000
const MAX_CHATS = 200
/** ms between a change and its being kept; longer while an answer grows, since a whole chat is written each time. */
const SAVE_DELAY_MS = 400
const SAVE_GROWING_MS = 2000

/** `dropped`: the oldest chats made room. `not-kept`: a chat is too large for this browser and lives as long as the page. */
export type StorageTrouble = 'dropped' | 'not-kept'

export interface ChatStorageOptions {
  storage: Storage
  store: ChatStore
  maxCharacters?: number
  schedule?: (run: () => void, delayMs: number) => void
  /** For the reader; each trouble is told once. */
  onTrouble?: (trouble: StorageTrouble) => void
}

export interface ChatStorage {
  /** Loads what is kept, then keeps every change. */
  start(): void
  /** Keeps what has changed, now. */
  flush(): void
  /** Another tab changed a key. */
  onOtherTab(key: string | null): void
}

export function createChatStorage(options: ChatStorageOptions): ChatStorage {
  const { storage, store, maxCharacters = MAX_CHARACTERS, schedule = defaultSchedule } = options
  const dirty = new Set<string>()
  const tell = tellOnce(options.onTrouble)
  let scheduled = false
  let quiet = false
  const flush = (): void => {
    scheduled = false
    for (const id of dirty) tell(save(storage, store, id, maxCharacters))
    if (dirty.size > 0) tell(shrink(storage, maxCharacters))
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

function tellOnce(onTrouble: (trouble: StorageTrouble) => void = () => {}): (trouble: StorageTrouble | undefined) => void {
  const told = new Set<StorageTrouble>()
  return (trouble) => {
    if (!trouble || told.has(trouble)) return
    told.add(trouble)
    onTrouble(trouble)
  }
}

function defaultSchedule(run: () => void, delayMs: number): void {
  setTimeout(run, delayMs)
}

function chatKeys(storage: Storage): string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '').filter((key) => key.startsWith(PREFIX))
}

function load(storage: Storage, store: ChatStore, key: string): void {
  const saved = readSavedChat(storage.getItem(key))
  if (saved) store.restore(saved)
}

/** A chat without a question is not kept. When the storage is full, the oldest chats make room; for one that does not fit at all none does. */
function save(storage: Storage, store: ChatStore, id: string, maxCharacters: number): StorageTrouble | undefined {
  const chat = store.chat(id)
  const key = PREFIX + id
  if (!chat || chat.messageIds.length === 0) {
    storage.removeItem(key)
    return undefined
  }
  const text = JSON.stringify({ chat, messages: store.messages(id) })
  return text.length > maxCharacters ? 'not-kept' : setInRoom(storage, key, text)
}

function setInRoom(storage: Storage, key: string, text: string): StorageTrouble | undefined {
  const dropped: Entry[] = []
  while (!trySet(storage, key, text)) {
    const oldest = oldestChat(storage, key)
    if (!oldest) {
      for (const { key: other, text: old } of dropped) trySet(storage, other, old)
      return 'not-kept'
    }
    storage.removeItem(oldest.key)
    dropped.push(oldest)
  }
  return dropped.length > 0 ? 'dropped' : undefined
}

function trySet(storage: Storage, key: string, text: string): boolean {
  try {
    storage.setItem(key, text)
    return true
  } catch {
    return false
  }
}

/** The only chat there is stays. */
function shrink(storage: Storage, maxCharacters: number): StorageTrouble | undefined {
  const sizes = chatKeys(storage).map((key) => storage.getItem(key)?.length ?? 0)
  let size = sizes.reduce((sum, length) => sum + length, 0)
  let count = sizes.length
  for (; count > 1 && (size > maxCharacters || count > MAX_CHATS); count -= 1) {
    const oldest = oldestChat(storage)
    if (!oldest) break
    storage.removeItem(oldest.key)
    size -= oldest.text.length
  }
  return count < sizes.length ? 'dropped' : undefined
}

interface Entry {
  key: string
  text: string
}

function oldestChat(storage: Storage, except?: string): Entry | undefined {
  const updatedAt = (key: string): number => readSavedChat(storage.getItem(key))?.chat.updatedAt ?? 0
  const keys = chatKeys(storage).filter((key) => key !== except)
  const [oldest] = keys.map((key) => ({ key, at: updatedAt(key) })).toSorted((one, other) => one.at - other.at)
  return oldest && { key: oldest.key, text: storage.getItem(oldest.key) ?? '' }
}
