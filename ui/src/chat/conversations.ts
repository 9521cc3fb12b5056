/** The chats of this browser and the answers that run in them: what the components call. */
import i18next from 'i18next'
import { useCallback, useSyncExternalStore } from 'react'
import { client } from '../api/client.ts'
import { showToast } from '../components/ui/toast.tsx'
import { readText, writeText } from '../store/browser-storage.ts'
import { announce } from '../shell/announcer.ts'
import { runAnswer } from './answer.ts'
import { isAnswering, type AssistantMessage, type Chat, type ChatSettings, type Message } from './chat.ts'
import { createChatStorage, type StorageTrouble } from './chat-storage.ts'
import { ChatStore, type SavedChat } from './chat-store.ts'

const LAST_MODEL_KEY = 'bendi.model'

export const chatStore: ChatStore = new ChatStore()
const running = new Map<string, AbortController>()

/** Loads the kept chats, and keeps them from now on. */
export function startConversations(): void {
  let storage: Storage
  try {
    storage = localStorage
  } catch {
    return
  }
  const onTrouble = (trouble: StorageTrouble): void =>
    showToast({ text: i18next.t(`chats.${trouble === 'dropped' ? 'dropped' : 'notKept'}`) })
  const chats = createChatStorage({ storage, store: chatStore, onTrouble })
  chats.start()
  addEventListener('pagehide', chats.flush)
  addEventListener('visibilitychange', chats.flush)
  addEventListener('storage', ({ key }) => chats.onOtherTab(key))
}

export function createChat(settings: ChatSettings, model?: string): Chat {
  return chatStore.create(settings, model)
}

export function ask(chatId: string, question: string, model: string): void {
  setLastModel(model)
  begin(chatId, chatStore.ask(chatId, question, model))
}

/** Answers the last question again, with the current settings. */
export function answerAgain(chatId: string, answerId: string, model: string): void {
  stopAnswer(chatId)
  chatStore.truncate(chatId, answerId)
  begin(chatId, chatStore.addAnswer(chatId, model))
}

/** Replaces a question, drops what came after it, and asks. Answers the chat as it was. */
export function askInstead(chatId: string, questionId: string, question: string, model: string): SavedChat | undefined {
  stopAnswer(chatId)
  const before = chatStore.saved(chatId)
  chatStore.truncate(chatId, questionId)
  begin(chatId, chatStore.ask(chatId, question, model))
  return before
}

/** Puts a chat back to how it was; an answer that was running then has been stopped. */
export function takeBack({ chat, messages }: SavedChat): void {
  stopAnswer(chat.id)
  const settled = messages.map((message) =>
    message.role === 'assistant' && isAnswering(message) ? { ...message, state: 'stopped' as const } : message,
  )
  chatStore.restore({ chat, messages: settled })
}

export function stopAnswer(chatId: string): void {
  running.get(chatId)?.abort()
}

/** Asks the model to stop thinking; the answer then begins by itself. */
export async function answerNow({ requestId }: AssistantMessage): Promise<void> {
  if (requestId === undefined) return
  // When it has just ended its thought by itself, or the connection is gone, the stream tells.
  await client.call('closeThought', { params: { id: requestId } }).catch(() => undefined)
}

export function removeChat(chatId: string): SavedChat | undefined {
  stopAnswer(chatId)
  return chatStore.remove(chatId)
}

export function setLastModel(model: string): void {
  writeText(LAST_MODEL_KEY, model)
}

export function lastModel(): string | undefined {
  return readText(LAST_MODEL_KEY)
}

export function useChats(): readonly Chat[] {
  return useSyncExternalStore(
    useCallback((listener) => chatStore.subscribe('list', listener), []),
    chatStore.list,
  )
}

export function useChat(chatId: string | undefined): Chat | undefined {
  return useSyncExternalStore(
    useCallback((listener) => chatStore.subscribe(`chat:${chatId}`, listener), [chatId]),
    () => (chatId === undefined ? undefined : chatStore.chat(chatId)),
  )
}

export function useMessage(messageId: string | undefined): Message | undefined {
  return useSyncExternalStore(
    useCallback((listener) => chatStore.subscribe(`message:${messageId}`, listener), [messageId]),
    () => (messageId === undefined ? undefined : chatStore.message(messageId)),
  )
}

function begin(chatId: string, answer: AssistantMessage | undefined): void {
  if (!answer) return
  const controller = new AbortController()
  running.set(chatId, controller)
  announce('chat.announceStart')
  void runAnswer({ client, store: chatStore, chatId, answer, signal: controller.signal }).then(() => {
    if (running.get(chatId) === controller) running.delete(chatId)
    announceEnd(answer.id)
  })
}

function announceEnd(answerId: string): void {
  const message = chatStore.message(answerId)
  if (message?.role !== 'assistant') return
  if (message.state === 'stopped') announce('chat.announceStopped')
  else announce(message.state === 'failed' ? 'chat.announceFailed' : 'chat.announceEnd')
}
