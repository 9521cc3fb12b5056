/**
 * All chats of this browser, outside of React. Each chat and each message has its own subscribers, so that
 * while an answer streams only that answer's component renders.
 */
import { type AssistantMessage, type Chat, type ChatSettings, type Message, type UserMessage, titleOf } from './chat.ts'

export interface SavedChat {
  chat: Chat
  messages: Message[]
}

export interface ChatStoreOptions {
  now?: () => number
  createId?: () => string
}

type Listener = () => void

export class ChatStore {
  readonly #chats = new Map<string, Chat>()
  readonly #messages = new Map<string, Message>()
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #changeListeners = new Set<(chatId: string) => void>()
  readonly #now: () => number
  readonly #createId: () => string
  #list: readonly Chat[] = []

  constructor({ now = Date.now, createId = randomId }: ChatStoreOptions = {}) {
    this.#now = now
    this.#createId = createId
  }

  /** Newest first. The same array until a chat is added, removed, renamed or used. */
  list = (): readonly Chat[] => this.#list

  chat(id: string): Chat | undefined {
    return this.#chats.get(id)
  }

  message(id: string): Message | undefined {
    return this.#messages.get(id)
  }

  messages(chatId: string): Message[] {
    return (this.#chats.get(chatId)?.messageIds ?? []).flatMap((id) => this.#messages.get(id) ?? [])
  }

  /** `list`, `chat:ID` or `message:ID`. */
  subscribe(topic: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  /** Told of every change that should be kept, with the chat's id (also of a removed one). */
  onChange(listener: (chatId: string) => void): () => void {
    this.#changeListeners.add(listener)
    return () => this.#changeListeners.delete(listener)
  }

  create(settings: ChatSettings, model?: string): Chat {
    const now = this.#now()
    const chat: Chat = {
      id: this.#createId(),
      title: '',
      settings,
      createdAt: now,
      updatedAt: now,
      messageIds: [],
      ...(model ? { model } : {}),
    }
    this.#setChat(chat)
    return chat
  }

  /** Puts back what was saved or removed; replaces a chat of the same id. */
  restore({ chat, messages }: SavedChat): void {
    for (const message of messages) this.#messages.set(message.id, message)
    this.#setChat(chat)
    for (const message of messages) this.#emit(`message:${message.id}`)
  }

  /** A chat as it is now, for `restore`. */
  saved(chatId: string): SavedChat | undefined {
    const chat = this.#chats.get(chatId)
    return chat && { chat, messages: this.messages(chatId) }
  }

  /** Answers what was removed, for `restore`. */
  remove(chatId: string): SavedChat | undefined {
    const saved = this.saved(chatId)
    if (!saved) return undefined
    this.#chats.delete(chatId)
    for (const { id } of saved.messages) this.#messages.delete(id)
    this.#changed(chatId)
    return saved
  }

  updateChat(chatId: string, change: Partial<Pick<Chat, 'title' | 'renamed' | 'model' | 'settings'>>): void {
    const chat = this.#chats.get(chatId)
    if (chat) this.#setChat({ ...chat, ...change })
  }

  /** Adds a question and an empty answer to it. */
  ask(chatId: string, question: string, model: string): AssistantMessage | undefined {
    const chat = this.#chats.get(chatId)
    if (!chat) return undefined
    const user: UserMessage = { id: this.#createId(), role: 'user', content: question }
    this.#messages.set(user.id, user)
    const title = chat.renamed || chat.messageIds.length > 0 ? chat.title : titleOf(question)
    this.#setChat({ ...chat, title, messageIds: [...chat.messageIds, user.id] })
    return this.addAnswer(chatId, model)
  }

  addAnswer(chatId: string, model: string): AssistantMessage | undefined {
    const chat = this.#chats.get(chatId)
    if (!chat) return undefined
    const answer: AssistantMessage = { id: this.#createId(), role: 'assistant', content: '', thoughts: '', model, state: 'waiting' }
    this.#messages.set(answer.id, answer)
    this.#setChat({ ...chat, model, updatedAt: this.#now(), messageIds: [...chat.messageIds, answer.id] })
    return answer
  }

  /** Drops this message and all after it. */
  truncate(chatId: string, messageId: string): void {
    const chat = this.#chats.get(chatId)
    const index = chat?.messageIds.indexOf(messageId) ?? -1
    if (!chat || index < 0) return
    for (const id of chat.messageIds.slice(index)) this.#messages.delete(id)
    this.#setChat({ ...chat, messageIds: chat.messageIds.slice(0, index) })
  }

  /** Nothing happens when the answer is gone (its chat was deleted meanwhile). */
  updateAnswer(chatId: string, messageId: string, change: (answer: AssistantMessage) => AssistantMessage): void {
    const message = this.#messages.get(messageId)
    if (message?.role !== 'assistant') return
    this.#messages.set(messageId, change(message))
    this.#emit(`message:${messageId}`)
    this.#tellChange(chatId)
  }

  #setChat(chat: Chat): void {
    this.#chats.set(chat.id, chat)
    this.#changed(chat.id)
  }

  #changed(chatId: string): void {
    this.#list = [...this.#chats.values()].toSorted((one, other) => other.updatedAt - one.updatedAt)
    this.#emit(`chat:${chatId}`)
    this.#emit('list')
    this.#tellChange(chatId)
  }

  #emit(topic: string): void {
    for (const listener of this.#listeners.get(topic) ?? []) listener()
  }

  #tellChange(chatId: string): void {
    for (const listener of this.#changeListeners) listener(chatId)
  }
}

/** `crypto.randomUUID` is missing on a page over plain HTTP from another machine. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(36).padStart(2, '0')).join('')
}
