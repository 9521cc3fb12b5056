/** One answer, shown as it arrives: thoughts dimmed, waiting told on stderr. */
import type { Localized } from '../shared/language.ts'
import type { Waiting } from '../shared/openai.ts'
import type { Backend } from './backend.ts'
import type { ChatRequest, ChatStats } from './chat.ts'
import type { Output } from './output.ts'
import { safeText } from './safe-text.ts'

export interface Answer {
  text: string
  reasoning: string
  reason: string
  stats: ChatStats | undefined
  /** From the request to the first piece of text or thought, ms; undefined when none came. */
  ttftMs: number | undefined
}

export interface AnswerOptions {
  backend: Backend
  output: Output
  /** Show pieces as they come; otherwise only collect. */
  isShown: boolean
  /** Thoughts are for people: a program that reads stdout gets the answer alone. */
  showsThoughts: boolean
  signal?: AbortSignal
  now?: () => number
}

/** Throws AppError when the answer cannot be finished; an abort by `signal` ends it with what has come and reason `cancelled`. */
export async function streamAnswer(request: ChatRequest, options: AnswerOptions): Promise<Answer> {
  const { backend, signal, now = () => performance.now() } = options
  const startedAt = now()
  const answer: Answer = { text: '', reasoning: '', reason: 'cancelled', stats: undefined, ttftMs: undefined }
  const printer = createPrinter(options)
  try {
    for await (const event of backend.chat(request, signal)) {
      if (event.type === 'waiting') printer.waiting(event.waiting)
      if (event.type === 'end') Object.assign(answer, { reason: event.reason, stats: event.stats })
      if (event.type !== 'text' && event.type !== 'reasoning') continue
      answer.ttftMs ??= now() - startedAt
      answer[event.type] += event.text
      printer.piece(event.type, event.text)
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    printer.end()
  }
  return answer
}

interface Printer {
  waiting(waiting: Waiting): void
  piece(type: 'text' | 'reasoning', text: string): void
  end(): void
}

function createPrinter({ output, isShown, showsThoughts }: AnswerOptions): Printer {
  let last: 'text' | 'reasoning' | undefined
  let lastCharacter = '\n'
  let isWaitingShown = false
  const clearWaiting = (): void => {
    if (isWaitingShown) output.status('\r\u001b[K')
    isWaitingShown = false
  }
  const write = (type: 'text' | 'reasoning', text: string): void => {
    const safe = safeText(text)
    output.raw(type === 'reasoning' ? output.dim(safe) : safe)
    lastCharacter = safe.at(-1) ?? lastCharacter
  }
  return {
    waiting(waiting) {
      if (!isShown || !output.isInteractive || last !== undefined) return
      output.status(`\r\u001b[K${output.say(waitingText(waiting))}`)
      isWaitingShown = true
    },
    piece(type, text) {
      clearWaiting()
      if (!isShown || (type === 'reasoning' && !showsThoughts)) return
      // The answer begins below its thoughts, without the blank lines that models put there.
      const shown = type === 'text' && last !== 'text' ? text.replace(/^\n+/, '') : text
      if (shown === '') return
      if (last === 'reasoning' && type === 'text') output.raw(lastCharacter === '\n' ? '\n' : '\n\n')
      last = type
      write(type, shown)
    },
    end() {
      clearWaiting()
      if (last !== undefined && lastCharacter !== '\n') output.raw('\n')
    },
  }
}

function waitingText(waiting: Waiting): Localized {
  switch (waiting.type) {
    case 'queued':
      return { en: `Waiting, place ${waiting.position} …`, zh: `排队中，第 ${waiting.position} 位……` }
    case 'loading':
      return { en: `Loading ${waiting.model} …`, zh: `正在加载 ${waiting.model}……` }
    case 'prefill':
      return {
        en: `Reading the prompt, ${waiting.done} of ${waiting.total} tokens …`,
        zh: `正在读取提示，${waiting.done}/${waiting.total} token……`,
      }
  }
}

/** For programs: `bendi run --json`. */
export function answerResult(prompt: string, model: string, { text, reasoning, reason, stats, ttftMs }: Answer): unknown {
  return {
    prompt,
    model,
    text,
    ...(reasoning === '' ? {} : { reasoning }),
    reason,
    ...(ttftMs === undefined ? {} : { ttftMs: Math.round(ttftMs) }),
    ...stats,
  }
}

/** One line: time to first token, speed, what came from the cache. */
export function statsText(answer: Answer): Localized {
  const { stats, ttftMs } = answer
  const first = ttftMs === undefined ? '–' : `${(ttftMs / 1000).toFixed(2)} s`
  if (!stats) return stoppedText(answer, first)
  const speed = stats.decodeMs > 0 ? (stats.decodeTokens / stats.decodeMs) * 1000 : 0
  return {
    en: `First token ${first} · ${speed.toFixed(1)} tokens/s · prompt ${stats.promptTokens} tokens (${stats.cachedTokens} cached) · answer ${stats.completionTokens} tokens`,
    zh: `首 token 延迟 ${first} · ${speed.toFixed(1)} token/秒 · 提示 ${stats.promptTokens} token（缓存 ${stats.cachedTokens}）· 回答 ${stats.completionTokens} token`,
  }
}

/** The engine's numbers come with the end of an answer; a stopped one has only what was seen here. */
function stoppedText({ text, reasoning }: Answer, first: string): Localized {
  const characters = [...text, ...reasoning].length
  return {
    en: `First token ${first} · stopped after ${characters} characters; the engine tells speed and tokens only of whole answers`,
    zh: `首 token 延迟 ${first} · 在 ${characters} 个字符后停止；只有完整的回答才有速度与 token 统计`,
  }
}
