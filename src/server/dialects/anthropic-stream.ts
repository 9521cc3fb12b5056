/** The streamed message. Pure. */
import { formatSseComment } from '../../base/sse.ts'
import type { AnthropicEvent } from '../../shared/anthropic/messages-reply.ts'
import type { GenerateEvent, WireError } from '../../shared/generate.ts'
import type { Language } from '../../shared/language.ts'
import { anthropicError, anthropicUsage, messageHead, stopReasonOf, type AnthropicHead, type AnthropicShape } from './anthropic-reply.ts'
import { noticeComment, waitingComment, type StreamEncoder } from './openai-reply.ts'

export interface AnthropicEncoderOptions extends AnthropicShape {
  head: AnthropicHead
  requestId: string
  language: Language
  prompt: PromptCount
}

/** What is known of the prompt before the first word. In tokens. */
export interface PromptCount {
  readonly promptTokens: number
  readonly cachedTokens: number
  /** Lets every event pass, and reads the counts from the one that tells of the admission. */
  watch(events: AsyncIterable<GenerateEvent>): AsyncIterable<GenerateEvent>
}

/** Beside the encoder, since events that only tell of waiting are merged away before they get there. */
export function createPromptCount(): PromptCount {
  let counts: { promptTokens: number; cachedTokens: number } | undefined
  return {
    get promptTokens() {
      return counts?.promptTokens ?? 0
    },
    get cachedTokens() {
      return counts?.cachedTokens ?? 0
    },
    async *watch(events) {
      for await (const event of events) {
        // At its admission what is done of a prompt is what was cached.
        if (event.type === 'prefill') counts ??= { promptTokens: event.total, cachedTokens: event.done }
        yield event
      }
    },
  }
}

type Block = { type: 'text' } | { type: 'thinking'; thought: string } | { type: 'tool_use'; call: number }

/**
 * `message_start`, then the blocks one after the other (`content_block_start`, deltas, `content_block_stop`), `message_delta`, `message_stop`.
 * The start's usage counts the prompt; the last `message_delta` counts the answer too.
 */
export function createAnthropicEncoder({
  head,
  requestId,
  language,
  showsThoughts,
  signer,
  prompt,
}: AnthropicEncoderOptions): StreamEncoder<GenerateEvent> {
  let begun = false
  let index = -1
  let block: Block | undefined
  let end: Extract<GenerateEvent, { type: 'choice-end' }> | undefined

  const begin = (): string => {
    if (begun) return ''
    begun = true
    const { promptTokens, cachedTokens } = prompt
    const usage = anthropicUsage({ promptTokens, cachedTokens, completionTokens: 0, reasoningTokens: 0 })
    return frame({ type: 'message_start', message: { ...messageHead(head), content: [], stop_reason: null, stop_sequence: null, usage } })
  }
  const closeBlock = (): string => {
    if (!block) return ''
    // The signature is of the whole thought, so it comes last.
    const signature = block.type === 'thinking' ? delta({ type: 'signature_delta', signature: signer.sign(block.thought) }) : ''
    block = undefined
    return signature + frame({ type: 'content_block_stop', index })
  }
  const openBlock = (next: Block, content: Extract<AnthropicEvent, { type: 'content_block_start' }>['content_block']): string => {
    const closing = begin() + closeBlock()
    block = next
    index++
    return closing + frame({ type: 'content_block_start', index, content_block: content })
  }
  const delta = (change: Extract<AnthropicEvent, { type: 'content_block_delta' }>['delta']): string =>
    frame({ type: 'content_block_delta', index, delta: change })

  const text = (piece: string): string => {
    if (piece === '') return ''
    const opening = block?.type === 'text' ? '' : openBlock({ type: 'text' }, { type: 'text', text: '', citations: null })
    return opening + delta({ type: 'text_delta', text: piece })
  }
  const thought = (piece: string): string => {
    if (!showsThoughts || piece === '') return begin()
    const opening =
      block?.type === 'thinking' ? '' : openBlock({ type: 'thinking', thought: '' }, { type: 'thinking', thinking: '', signature: '' })
    if (block?.type === 'thinking') block.thought += piece
    return opening + delta({ type: 'thinking_delta', thinking: piece })
  }
  const toolCall = ({ call, id, name, arguments: piece }: Extract<GenerateEvent, { type: 'tool-call-delta' }>): string => {
    const isOpen = block?.type === 'tool_use' && block.call === call
    const opening = isOpen
      ? ''
      : openBlock(
          { type: 'tool_use', call },
          { type: 'tool_use', id: id ?? `toolu_${head.id}_${call}`, name: name ?? '', input: {}, caller: { type: 'direct' } },
        )
    return opening + (piece === '' ? '' : delta({ type: 'input_json_delta', partial_json: piece }))
  }
  const finish = ({ usage }: Extract<GenerateEvent, { type: 'finish' }>): string => {
    const { cache_creation_input_tokens, cache_read_input_tokens, input_tokens, output_tokens, output_tokens_details, server_tool_use } =
      anthropicUsage(usage)
    return (
      begin() +
      closeBlock() +
      frame({
        type: 'message_delta',
        delta: {
          container: null,
          stop_details: null,
          stop_reason: stopReasonOf(end?.reason ?? 'stop', end?.stopSequence),
          stop_sequence: end?.stopSequence ?? null,
        },
        usage: {
          cache_creation_input_tokens,
          cache_read_input_tokens,
          input_tokens,
          output_tokens,
          output_tokens_details,
          server_tool_use,
        },
      }) +
      frame({ type: 'message_stop' })
    )
  }
  const error = (cause: WireError): string => frame(anthropicError(cause, language, requestId))

  return {
    encode(event) {
      switch (event.type) {
        case 'queued':
        case 'loading':
        case 'prefill':
          return waitingComment(event)
        case 'notice':
          return noticeComment(event.notice)
        case 'prompt-logprobs':
          return ''
        case 'text-delta':
          return text(event.text)
        case 'reasoning-delta':
          return thought(event.text)
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
    end: () => formatSseComment('end'),
  }
}

function frame(event: AnthropicEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
