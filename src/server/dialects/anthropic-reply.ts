/** The way back to the Messages API: message, usage and errors. Pure. */
import type {
  AnthropicContentBlock,
  AnthropicError,
  AnthropicMessageReply,
  AnthropicStopReason,
  AnthropicUsage,
} from '../../shared/anthropic/messages-reply.ts'
import { errorEntry, isErrorCode, localizeError } from '../../shared/errors.ts'
import type { FinishReason, Usage, WireError } from '../../shared/generate.ts'
import type { Language } from '../../shared/language.ts'
import type { Answer, AnswerChoice } from '../collect-answer.ts'
import type { ThoughtSigner } from '../thought-signature.ts'

export interface AnthropicHead {
  id: string
  model: string
}

export interface AnthropicShape {
  showsThoughts: boolean
  signer: ThoughtSigner
}

/** The reply that is not streamed. */
export function anthropicMessage(answer: Answer, head: AnthropicHead, shape: AnthropicShape): AnthropicMessageReply {
  const [choice] = answer.choices
  if (!choice) throw new Error('an answer without a choice')
  return {
    ...messageHead(head),
    content: contentOf(choice, shape),
    stop_reason: stopReasonOf(choice.reason, choice.stopSequence),
    stop_sequence: choice.stopSequence ?? null,
    usage: anthropicUsage(answer.usage),
  }
}

export function messageHead({
  id,
  model,
}: AnthropicHead): Omit<AnthropicMessageReply, 'content' | 'stop_reason' | 'stop_sequence' | 'usage'> {
  return { id, type: 'message', role: 'assistant', model, container: null, diagnostics: null, stop_details: null }
}

function contentOf(choice: AnswerChoice, { showsThoughts, signer }: AnthropicShape): AnthropicContentBlock[] {
  const { text, reasoning, toolCalls } = choice
  return [
    ...(showsThoughts && reasoning !== '' ? [{ type: 'thinking' as const, thinking: reasoning, signature: signer.sign(reasoning) }] : []),
    ...(text === '' ? [] : [{ type: 'text' as const, text, citations: null }]),
    ...toolCalls.map(({ id, name, arguments: input }) => ({
      type: 'tool_use' as const,
      id,
      name,
      input: JSON.parse(input) as Record<string, unknown>,
      caller: { type: 'direct' as const },
    })),
  ]
}

export function stopReasonOf(reason: FinishReason, stopSequence: string | undefined): AnthropicStopReason {
  if (stopSequence !== undefined) return 'stop_sequence'
  return reason === 'stop' ? 'end_turn' : reason === 'length' ? 'max_tokens' : 'tool_use'
}

/** Anthropic counts cached tokens beside the input's, not among them. */
export function anthropicUsage({ promptTokens, cachedTokens, completionTokens, reasoningTokens }: Usage): AnthropicUsage {
  return {
    cache_creation: null,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    inference_geo: null,
    input_tokens: promptTokens - cachedTokens,
    output_tokens: completionTokens,
    output_tokens_details: { thinking_tokens: reasoningTokens },
    server_tool_use: null,
    service_tier: 'standard',
    speed: null,
  }
}

/** By status: the types of Anthropic's errors are a matter of the status there. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  529: 'overloaded_error',
}

export function anthropicError(error: WireError, language: Language, requestId: string): AnthropicError {
  const { message, hint } = localizeError(error, language)
  const status = isErrorCode(error.code) ? errorEntry(error.code).status : 500
  const type = TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  const told = hint ? `${message} ${hint}` : message
  return { type: 'error', error: { type, message: `${tooLong(error)}${told}`, ...detailsOf(error) }, request_id: requestId }
}

/** What makes Anthropic's own clients go on without a thread. Source: its Python SDK 2.12, `lib/threads`. */
function detailsOf({ code, data }: WireError): Pick<AnthropicError['error'], 'details'> {
  if (code !== 'unsupported-field' || data['field'] !== 'thread') return {}
  return { details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] } }
}

/** Anthropic's own words, in any language: coding agents look for them to know that the conversation must be compacted. */
function tooLong({ code, data }: WireError): string {
  return code === 'prompt-too-long' ? `prompt is too long: ${data['needed']} tokens > ${data['window']} maximum. ` : ''
}
