/** `POST /infill`, in llama-server's shape: wire ↔ GenerateRequest and GenerateEvents. Pure. */
import type { FinishReason, GenerateEvent, GenerateRequest, Usage, WireError } from '../../shared/generate.ts'
import type { Language } from '../../shared/language.ts'
import { InfillRequestSchema, type InfillReply, type InfillRequest } from '../../shared/openai/tokens.ts'
import type { Answer } from '../collect-answer.ts'
import { openAiError, waitingComment, type StreamEncoder } from './openai-reply.ts'
import { compact, ignoredFields, maxTokensOf, parseBody, samplingOf, stopOf } from './request-fields.ts'

export interface InfillCall {
  request: GenerateRequest
  stream: boolean
  ignored: string[]
}

/** Throws `invalid-request`, `invalid-field`. */
export function parseInfill(body: unknown, id: string): InfillCall {
  const call = parseBody(InfillRequestSchema, body)
  const request: GenerateRequest = {
    id,
    model: call.model ?? 'default',
    prompt: { type: 'infill', prefix: prefixOf(call), suffix: call.input_suffix },
    sampling: samplingOf(call),
    stop: stopOf(call.stop),
    ignoreEos: false,
    choices: 1,
    deterministic: false,
    reasoning: 'text',
    ...compact({ maxTokens: maxTokensOf(call.n_predict) }),
  }
  return { request, stream: call.stream ?? false, ignored: ignoredFields(call, InfillRequestSchema.shape) }
}

/** Other files come first, each under its name, then the prefix, then what has been written of the middle. */
function prefixOf({ input_prefix: prefix, input_extra: extra, prompt }: InfillRequest): string {
  const files = (extra ?? []).map(({ filename, text }) => `${filename ? `${filename}\n` : ''}${text}\n\n`)
  return files.join('') + prefix + (prompt ?? '')
}

export function infillReply({ choices: [choice], usage }: Answer, model: string): InfillReply {
  return {
    index: 0,
    content: choice?.text ?? '',
    ...ending({ model, usage, reason: choice?.reason ?? 'stop', word: choice?.stopSequence }),
  }
}

interface Ending {
  model: string
  usage: Usage
  reason: FinishReason
  word: string | undefined
}

function ending({ model, usage, reason, word }: Ending): Omit<InfillReply, 'index' | 'content'> {
  return {
    stop: true,
    model,
    tokens_predicted: usage.completionTokens,
    tokens_evaluated: usage.promptTokens,
    stop_type: reason === 'length' ? 'limit' : word === undefined ? 'eos' : 'word',
    stopping_word: word ?? '',
  }
}

/** The last event says `"stop": true`; there is no `[DONE]`, as with llama-server. */
export function createInfillEncoder(model: string, language: Language): StreamEncoder<GenerateEvent> {
  let end: { reason: FinishReason; word: string | undefined } = { reason: 'stop', word: undefined }
  const frame = (reply: InfillReply): string => `data: ${JSON.stringify(reply)}\n\n`
  const error = (cause: WireError): string => `data: ${JSON.stringify(openAiError(cause, language))}\n\n`
  return {
    encode(event) {
      switch (event.type) {
        case 'queued':
        case 'loading':
        case 'prefill':
          return waitingComment(event)
        case 'text-delta':
        case 'reasoning-delta':
          return frame({ index: 0, content: event.text, stop: false })
        case 'choice-end':
          end = { reason: event.reason, word: event.stopSequence }
          return ''
        case 'tool-call-delta':
        case 'prompt-logprobs':
        case 'notice':
          return ''
        case 'finish':
          return frame({ index: 0, content: '', ...ending({ model, usage: event.usage, ...end }) })
        case 'error':
          return error(event.error)
      }
    },
    error,
    end: () => '',
  }
}
