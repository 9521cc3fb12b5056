/** `bendi run` on a terminal: questions and answers until /exit or Ctrl-D. */
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import { AsyncQueue } from '../base/async.ts'
import { AppError } from '../shared/errors.ts'
import type { Localized } from '../shared/language.ts'
import type { Message } from '../shared/generate.ts'
import { answerResult, statsText, streamAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import type { Backend } from './backend.ts'
import type { ChatRequest } from './chat.ts'
import type { CommandContext } from './command.ts'
import { addToHistory, readHistory } from './prompt-history.ts'
import { createLineJoiner } from './line-joiner.ts'
import { nearest } from './suggest.ts'

export interface ConversationOptions {
  context: Pick<CommandContext, 'io' | 'output' | 'paths' | 'signal'>
  backend: Backend
  /** The model and the sampling; its messages are the first ones. */
  base: ChatRequest
  /** Numbers after each answer. */
  showsStats?: boolean
}

const SLASH_COMMANDS = {
  '/clear': { en: 'Forget the conversation', zh: '清空对话' },
  '/system': { en: '/system TEXT: a new system message, and a new conversation', zh: '/system 文本：设置系统消息并开始新对话' },
  '/stats': { en: 'Time to first token, speed and cache of the last answer', zh: '上次回答的首 token 延迟、速度与缓存' },
  '/help': { en: 'This list', zh: '显示此列表' },
  '/exit': { en: 'Leave (or Ctrl-D)', zh: '退出（或 Ctrl-D）' },
} as const satisfies Record<string, Localized>

export async function startConversation(options: ConversationOptions): Promise<void> {
  await new Conversation(options).run()
}

class Conversation {
  readonly #options: ConversationOptions
  readonly #lines = new AsyncQueue<string>()
  readonly #joiner = createLineJoiner()
  #messages: Message[]
  #last: Answer | undefined
  #answering: AbortController | undefined

  constructor(options: ConversationOptions) {
    this.#options = options
    this.#messages = [...options.base.messages]
  }

  async run(): Promise<void> {
    const { context, base } = this.#options
    const reader = this.#openReader()
    const leave = (): void => reader.close()
    context.signal.addEventListener('abort', leave, { once: true })
    context.output.note({
      en: `${base.model} · /help for commands, """ for several lines`,
      zh: `${base.model} · /help 查看命令，""" 输入多行`,
    })
    try {
      this.#prompt(reader)
      for await (const line of this.#lines) {
        if (!(await this.#take(line))) break
        this.#prompt(reader)
      }
    } finally {
      context.signal.removeEventListener('abort', leave)
      reader.close()
    }
  }

  #openReader(): Interface {
    const { io, paths } = this.#options.context
    const terminal = io.terminal
    const reader = createInterface({
      input: io.stdin,
      ...(terminal ? { output: terminal } : {}),
      terminal: terminal !== undefined,
      history: readHistory(paths.home),
      historySize: 1000,
      removeHistoryDuplicates: true,
    })
    reader.on('line', (line) => this.#lines.push(line))
    reader.on('close', () => this.#end())
    reader.on('SIGINT', () => this.#interrupt(reader))
    return reader
  }

  #end(): void {
    this.#answering?.abort(new AppError('cancelled'))
    this.#lines.end()
  }

  /** Ctrl-C: stops the answer, or drops what was typed; it never leaves. */
  #interrupt(reader: Interface): void {
    const { output } = this.#options.context
    if (this.#answering) return this.#answering.abort(new AppError('cancelled'))
    output.status('\n')
    if (reader.line === '' && !this.#joiner.isOpen()) output.note({ en: 'Ctrl-D or /exit leaves.', zh: '按 Ctrl-D 或输入 /exit 退出。' })
    this.#joiner.reset()
    reader.write(null, { ctrl: true, name: 'e' })
    reader.write(null, { ctrl: true, name: 'u' })
    this.#prompt(reader)
  }

  #prompt(reader: Interface): void {
    const text = this.#joiner.isOpen() ? '... ' : '>>> '
    if (!this.#options.context.io.terminal) return this.#options.context.output.status(text)
    reader.setPrompt(text)
    reader.prompt()
  }

  /** False = leave. */
  async #take(line: string): Promise<boolean> {
    const entry = this.#joiner.push(line)
    if (entry === undefined || entry.trim() === '') return true
    // One line of the history's file is one entry.
    addToHistory(this.#options.context.paths.home, entry.replaceAll('\n', ' '))
    if (entry.startsWith('/')) return this.#command(entry.trim())
    await this.#ask(entry)
    return true
  }

  #command(entry: string): boolean {
    const { output } = this.#options.context
    const [word = '', ...rest] = entry.split(/\s+/)
    if (word === '/exit' || word === '/bye' || word === '/quit') return false
    if (word === '/clear') this.#restart(this.#messages.filter(({ role }) => role === 'system'))
    else if (word === '/system') this.#restart(rest.length > 0 ? [{ role: 'system', content: entry.slice('/system'.length).trim() }] : [])
    else if (word === '/stats') output.note(this.#last ? statsText(this.#last) : { en: 'No answer yet.', zh: '还没有回答。' })
    else if (word === '/help') this.#help()
    else this.#unknown(word)
    return true
  }

  #restart(messages: Message[]): void {
    this.#messages = messages
    this.#options.context.output.note({ en: 'A new conversation.', zh: '已开始新对话。' })
  }

  #help(): void {
    const { output } = this.#options.context
    for (const [name, text] of Object.entries(SLASH_COMMANDS)) output.note(`${name.padEnd(9)} ${output.say(text)}`)
  }

  #unknown(word: string): void {
    const near = nearest(word, Object.keys(SLASH_COMMANDS))
    this.#options.context.output.note({
      en: `There is no ${word}.${near ? ` Did you mean ${near}?` : ' See /help.'}`,
      zh: `没有 ${word}。${near ? `是否想用 ${near}？` : '参见 /help。'}`,
    })
  }

  async #ask(content: string): Promise<void> {
    const { context, backend, base } = this.#options
    const messages: Message[] = [...this.#messages, { role: 'user', content }]
    this.#answering = new AbortController()
    const signal = AbortSignal.any([this.#answering.signal, context.signal])
    try {
      const answer = await streamAnswer(
        { ...base, messages },
        { backend, output: context.output, isShown: !context.output.json, showsThoughts: true, signal },
      )
      this.#last = answer
      context.output.result(answerResult(content, base.model, answer))
      if (this.#options.showsStats) context.output.note(statsText(answer))
      // What was stopped stays part of the conversation, as the person saw it.
      this.#messages = [...messages, { role: 'assistant', content: answer.text }]
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'internal') throw error
      context.output.error(error)
    } finally {
      this.#answering = undefined
    }
  }
}
