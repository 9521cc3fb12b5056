/** `POST /api/generate`: the request as a GenerateRequest. Pure. The way back is ollama-reply.ts and ollama-stream.ts. */
import { AppError } from '../../shared/errors.ts'
import type { Message, Prompt } from '../../shared/generate.ts'
import { OllamaGenerateRequestSchema, type OllamaGenerateRequest } from '../../shared/ollama/requests.ts'
import type { OllamaCall } from './ollama-chat.ts'
import { ignoredOptions, ollamaKeepAlive, ollamaThinking, ollamaWishes, refuseImages, showsThoughts } from './ollama-options.ts'
import { compact, ignoredFields, parseBody, refuseFields, type RefusedField } from './request-fields.ts'

export interface OllamaGenerateCall extends OllamaCall {
  /** Tokens of the conversation so far, which come before the prompt. */
  context?: number[]
  /** The reply says the tokens of the conversation. */
  tellsContext: boolean
}

const isEmpty = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.length === 0)
const REFUSED: Readonly<Record<string, RefusedField>> = {
  template: { reason: 'the model has its own; send the finished prompt with "raw": true', harmless: isEmpty },
}
const REFUSED_RAW: Readonly<Record<string, RefusedField>> = {
  system: { reason: 'with "raw" the prompt is all that the model reads', harmless: isEmpty },
  suffix: { reason: 'with "raw" the prompt is all that the model reads', harmless: isEmpty },
  context: { reason: 'with "raw" the prompt is all that the model reads', harmless: isEmpty },
}
const REFUSED_INFILL: Readonly<Record<string, RefusedField>> = {
  system: { reason: 'between a prompt and a suffix there is no conversation', harmless: isEmpty },
  context: { reason: 'between a prompt and a suffix there is no conversation', harmless: isEmpty },
}

/** Throws `invalid-request`, `invalid-field`, `unsupported-field`. */
export function parseOllamaGenerate(body: unknown, id: string): OllamaGenerateCall {
  const call = parseBody(OllamaGenerateRequestSchema, body)
  refuseFields(call, REFUSED)
  if (call.raw) refuseFields(call, REFUSED_RAW)
  else if (call.suffix) refuseFields(call, REFUSED_INFILL)
  refuseImages(call.images, 'images')
  const wishes = ollamaWishes(call)
  const isRaw = call.raw ?? false
  const isChat = !isRaw && !call.suffix
  if (!isChat && call.think) {
    throw new AppError('unsupported-field', { field: 'think', reason: 'it needs a conversation: leave "raw" and "suffix" out' })
  }
  const isQuestion = Boolean(call.prompt) || Boolean(call.suffix)
  return {
    ...(isQuestion ? { request: { id, ...wishes, prompt: promptOf(call), reasoning: isChat ? 'split' : 'text' } } : {}),
    model: call.model,
    ...compact({
      keepAlive: ollamaKeepAlive(call.keep_alive),
      context: call.context && call.context.length > 0 ? call.context : undefined,
    }),
    tellsContext: !isRaw,
    stream: call.stream ?? true,
    showsThoughts: showsThoughts(call),
    wantsThoughts: Boolean(call.think),
    ignored: [...ignoredFields(call, OllamaGenerateRequestSchema.shape), ...ignoredOptions(call.options)].filter(
      (field) => !Object.hasOwn(REFUSED, field),
    ),
  }
}

function promptOf(call: OllamaGenerateRequest): Prompt {
  const prompt = call.prompt ?? ''
  if (call.raw) return { type: 'text', text: prompt }
  if (call.suffix) return { type: 'infill', prefix: prompt, suffix: call.suffix }
  const system: Message[] = call.system ? [{ role: 'system', content: call.system }] : []
  return {
    type: 'messages',
    messages: [...system, { role: 'user', content: prompt }],
    ...compact({ thinking: ollamaThinking(call.think) }),
  }
}
