/** The streamed answers of chat and generate: a JSON value a line. Pure. */
import type { GenerateEvent, WireError } from '../../shared/generate.ts'
import type { Language } from '../../shared/language.ts'
import type { OllamaChatChunk, OllamaGenerateChunk, OllamaLogprob } from '../../shared/ollama/replies.ts'
import type { StreamEncoder } from './openai-reply.ts'
import { ollamaError, ollamaLogprob, ollamaMetrics, ollamaReason, ollamaStart, ollamaToolCall, type OllamaHead } from './ollama-reply.ts'

type Call = Parameters<typeof ollamaToolCall>[0]
interface Piece {
  text?: string
  thought?: string
  call?: { call: Call; index: number }
  logprobs?: OllamaLogprob[]
}

/**
 * A call of a tool is told whole, since its arguments are an object: when the next one begins, or the answer ends.
 * Waiting (a queue, a model that loads) is not told: there are no comments in lines of JSON.
 */
export function createOllamaEncoder(head: OllamaHead, shape: 'chat' | 'generate', language: Language): StreamEncoder<GenerateEvent> {
  let open: { call: Call; index: number } | undefined
  let end: Extract<GenerateEvent, { type: 'choice-end' }> | undefined
  const piece = (one: Piece): string => line(shape === 'chat' ? chatPiece(head, one) : generatePiece(head, one))
  const closeCall = (): string => {
    const told = open
    open = undefined
    // Generate has no tools, so none of its answers has a call.
    return told && shape === 'chat' ? piece({ call: told }) : ''
  }
  const text = ({ text: words, logprobs }: Extract<GenerateEvent, { type: 'text-delta' }>): string =>
    words === '' && !logprobs ? '' : closeCall() + piece({ text: words, ...logprobsOf(logprobs) })
  const thought = ({ text: words, logprobs }: Extract<GenerateEvent, { type: 'reasoning-delta' }>): string =>
    !head.showsThoughts || (words === '' && !logprobs) ? '' : closeCall() + piece({ thought: words, ...logprobsOf(logprobs) })
  const toolCall = (event: Extract<GenerateEvent, { type: 'tool-call-delta' }>): string => {
    const before = open && open.index !== event.call ? closeCall() : ''
    open ??= { index: event.call, call: { id: event.id ?? `call_${event.call}`, name: '', arguments: '' } }
    open.call.name += event.name ?? ''
    open.call.arguments += event.arguments
    return before
  }
  const finish = ({ usage, timings }: Extract<GenerateEvent, { type: 'finish' }>): string => {
    const last = { done: true, done_reason: ollamaReason(end?.reason ?? 'stop'), ...ollamaMetrics(usage, timings, head) } as const
    const context = head.context()
    return (
      closeCall() +
      line(
        shape === 'chat'
          ? { ...ollamaStart(head), message: { role: 'assistant', content: '' }, ...last }
          : { ...ollamaStart(head), response: '', ...last, ...(context ? { context } : {}) },
      )
    )
  }
  const error = (cause: WireError): string => line(ollamaError(cause, language))

  return {
    framing: 'ndjson',
    encode(event) {
      switch (event.type) {
        case 'queued':
        case 'loading':
        case 'prefill':
        case 'notice':
        case 'prompt-logprobs':
          return ''
        case 'text-delta':
          return text(event)
        case 'reasoning-delta':
          return thought(event)
        case 'tool-call-delta':
          return toolCall(event)
        case 'choice-end':
          end = event
          return ''
        case 'finish':
          return finish(event)
        case 'error':
          return error(event.error)
      }
    },
    error,
    end: () => '',
  }
}

function chatPiece(head: OllamaHead, { text = '', thought, call, logprobs }: Piece): OllamaChatChunk {
  return {
    ...ollamaStart(head),
    message: {
      role: 'assistant',
      content: text,
      ...(thought === undefined ? {} : { thinking: thought }),
      ...(call ? { tool_calls: [ollamaToolCall(call.call, call.index)] } : {}),
    },
    ...(logprobs ? { logprobs } : {}),
    done: false,
  }
}

function generatePiece(head: OllamaHead, { text = '', thought, logprobs }: Piece): OllamaGenerateChunk {
  return {
    ...ollamaStart(head),
    response: text,
    ...(thought === undefined ? {} : { thinking: thought }),
    ...(logprobs ? { logprobs } : {}),
    done: false,
  }
}

function logprobsOf(logprobs: Parameters<typeof ollamaLogprob>[0][] | undefined): { logprobs?: OllamaLogprob[] } {
  return logprobs && logprobs.length > 0 ? { logprobs: logprobs.map(ollamaLogprob) } : {}
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}
