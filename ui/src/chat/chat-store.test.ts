import { describe, expect, it } from 'vitest'
import { createChatStorage } from './chat-storage.ts'
import { ChatStore } from './chat-store.ts'
import { groupChats } from './chat-groups.ts'
import type { AssistantMessage } from './chat.ts'

function createStore(): ChatStore {
  let id = 0
  let time = 1000
  return new ChatStore({
    createId: () => {
      id += 1
      return `id-${id}`
    },
    now: () => {
      time += 1
      return time
    },
  })
}

/** A Storage in memory that refuses more than `limit` characters. */
function memoryStorage(limit = Infinity): Storage {
  const map = new Map<string, string>()
  return {
    get length() {
      return map.size
    },
    clear: () => map.clear(),
    getItem: (key) => map.get(key) ?? null,
    key: (index) => [...map.keys()][index] ?? null,
    removeItem: (key) => void map.delete(key),
    setItem: (key, value) => {
      const others = [...map].reduce((sum, [name, text]) => sum + (name === key ? 0 : text.length), 0)
      if (others + value.length > limit) throw new Error('quota')
      map.set(key, value)
    },
  }
}

const immediately = (run: () => void): void => run()

function askIn(store: ChatStore, question: string): { chatId: string; answer: AssistantMessage } {
  const chat = store.create({ system: '' })
  const answer = store.ask(chat.id, question, 'm')
  if (!answer) throw new Error('no answer')
  return { chatId: chat.id, answer }
}

describe('ChatStore', () => {
  it('tells only the subscribers of an answer that it grew', () => {
    const store = createStore()
    const { chatId, answer } = askIn(store, 'Question?')
    const told: string[] = []
    for (const topic of ['list', `chat:${chatId}`, `message:${answer.id}`]) store.subscribe(topic, () => told.push(topic))
    store.updateAnswer(chatId, answer.id, (current) => ({ ...current, content: 'word' }))
    expect(told).toEqual([`message:${answer.id}`])
  })

  it('names a chat after the first line of its first question, unless the reader named it', () => {
    const store = createStore()
    const { chatId } = askIn(store, 'First line\nsecond')
    expect(store.chat(chatId)?.title).toBe('First line')
    store.updateChat(chatId, { title: 'Mine', renamed: true })
    store.ask(chatId, 'Another', 'm')
    expect(store.chat(chatId)?.title).toBe('Mine')
  })

  it('names a chat anew when its first question is asked differently', () => {
    const store = createStore()
    const { chatId } = askIn(store, 'First')
    store.ask(chatId, 'Second', 'm')
    expect(store.chat(chatId)?.title).toBe('First')
    store.truncate(chatId, store.chat(chatId)?.messageIds[0] ?? '')
    store.ask(chatId, 'Changed', 'm')
    expect(store.chat(chatId)?.title).toBe('Changed')
  })

  it('gives back a removed chat with its messages', () => {
    const store = createStore()
    const { chatId } = askIn(store, 'Question?')
    const removed = store.remove(chatId)
    expect([store.chat(chatId), store.list()]).toEqual([undefined, []])
    if (removed) store.restore(removed)
    expect(store.messages(chatId).map(({ content }) => content)).toEqual(['Question?', ''])
  })
})

describe('createChatStorage', () => {
  it('brings chats back, and a running answer as one that was cut off', () => {
    const storage = memoryStorage()
    const store = createStore()
    createChatStorage({ storage, store, schedule: immediately }).start()
    const { chatId, answer } = askIn(store, 'Question?')
    store.updateAnswer(chatId, answer.id, (current) => ({ ...current, content: 'half', state: 'streaming' }))
    const later = createStore()
    createChatStorage({ storage, store: later }).start()
    expect(later.messages(chatId)).toMatchObject([{ content: 'Question?' }, { content: 'half', state: 'interrupted' }])
  })

  it('lets the oldest chats go when the storage is full', () => {
    const storage = memoryStorage(3000)
    const store = createStore()
    createChatStorage({ storage, store, schedule: immediately }).start()
    const chats = Array.from({ length: 6 }, (_, index) => askIn(store, `${index} ${'x'.repeat(500)}`).chatId)
    const kept = chats.filter((id) => storage.getItem(`bendi.chat.${id}`) !== null)
    expect(kept.length).toBeGreaterThan(1)
    expect(kept).toEqual(chats.slice(-kept.length))
  })

  it('keeps no more characters than allowed', () => {
    const storage = memoryStorage()
    const store = createStore()
    createChatStorage({ storage, store, maxCharacters: 2500, schedule: immediately }).start()
    const chats = Array.from({ length: 6 }, (_, index) => askIn(store, `${index} ${'x'.repeat(500)}`).chatId)
    const total = chats.reduce((sum, id) => sum + (storage.getItem(`bendi.chat.${id}`)?.length ?? 0), 0)
    expect(total).toBeLessThanOrEqual(2500)
    expect(storage.getItem(`bendi.chat.${chats.at(-1) ?? ''}`)).not.toBeNull()
  })

  it('lets no chat go for one that is too long to be kept, and says so once', () => {
    const storage = memoryStorage(3000)
    const store = createStore()
    const told: string[] = []
    createChatStorage({ storage, store, maxCharacters: 4000, schedule: immediately, onTrouble: (trouble) => told.push(trouble) }).start()
    const [first, second] = [askIn(store, 'one').chatId, askIn(store, 'two').chatId]
    const isKept = (id: string): boolean => storage.getItem(`bendi.chat.${id}`) !== null
    const longest = askIn(store, 'x'.repeat(5000)).chatId
    expect([first, second, longest].map(isKept)).toEqual([true, true, false])
    const tooLongForTheBrowser = askIn(store, 'x'.repeat(3500)).chatId
    expect([first, second, tooLongForTheBrowser].map(isKept)).toEqual([true, true, false])
    expect(told).toEqual(['not-kept'])
  })

  it('says once that the oldest chats made room', () => {
    const storage = memoryStorage(3000)
    const store = createStore()
    const told: string[] = []
    createChatStorage({ storage, store, schedule: immediately, onTrouble: (trouble) => told.push(trouble) }).start()
    for (let index = 0; index < 9; index++) askIn(store, 'x'.repeat(500))
    expect(told).toEqual(['dropped'])
  })

  it('takes over what another tab changed, and skips what cannot be read', () => {
    const storage = memoryStorage()
    const store = createStore()
    const chats = createChatStorage({ storage, store, schedule: immediately })
    storage.setItem('bendi.chat.broken', '{"chat":1')
    chats.start()
    const other = createStore()
    createChatStorage({ storage, store: other, schedule: immediately }).start()
    const { chatId } = askIn(other, 'From the other tab')
    chats.onOtherTab(`bendi.chat.${chatId}`)
    expect(store.list().map(({ title }) => title)).toEqual(['From the other tab'])
    storage.removeItem(`bendi.chat.${chatId}`)
    chats.onOtherTab('bendi.language')
    expect(store.list()).toHaveLength(1)
  })
})

describe('groupChats', () => {
  it('groups by the calendar days of the reader', () => {
    const now = new Date(2026, 4, 20, 9)
    const at = (id: string, date: Date) => ({
      id,
      title: id,
      settings: { system: '' },
      createdAt: 0,
      updatedAt: date.getTime(),
      messageIds: [],
    })
    const chats = [
      at('a', new Date(2026, 4, 20, 1)),
      at('b', new Date(2026, 4, 19, 23)),
      at('c', new Date(2026, 4, 15)),
      at('d', new Date(2026, 1, 1)),
    ]
    expect(groupChats(chats, now).map(({ group, chats: some }) => [group, some.map(({ id }) => id)])).toEqual([
      ['today', ['a']],
      ['yesterday', ['b']],
      ['week', ['c']],
      ['older', ['d']],
    ])
  })
})
