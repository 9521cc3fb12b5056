/** GenerateEvents → the items of a response and the events that tell of them. */
import type { FinishReason, GenerateEvent, Usage, WireError } from '../../shared/generate.ts'
import type { UnnumberedEvent } from '../../shared/response-events.ts'
import type { OutputItem, Response, ResponseLogprob, ResponseUsage } from '../../shared/responses.ts'
import { wireLogprobs } from './openai-reply.ts'
import { callDelta, callItem, closedCall, type CallNames, type OpenCall } from './openai-responses-calls.ts'

export interface AssemblerOptions {
  /** The reply before anything was generated. */
  reply: Response
  /** Thoughts are given back sealed as well. */
  seal?: (text: string) => string
  /** Of tools that the caller knows by another name than the model does. */
  names?: CallNames
  /** Seconds since 1970. */
  now(): number
}

type Status = OutputItem['status']

/** An item that is being written. `index` is its place in the output. */
type OpenItem = { id: string; index: number } & (
  | { type: 'message'; text: string; logprobs: ResponseLogprob[] }
  | { type: 'reasoning'; text: string }
)
type OpenOf<Type extends OpenItem['type']> = Extract<OpenItem, { type: Type }>

/**
 * One answer on its way:
 *
 *     begin() → push(event)* → finish(usage) | fail(error)
 *
 * One item is open at a time: it is closed when something else begins, so that a client can run a call while the next one is written.
 */
export class ResponseAssembler {
  readonly #options: AssemblerOptions
  readonly #summarises: boolean
  #reply: Response
  readonly #items: (OpenItem | OpenCall)[] = []
  /** What is being written. */
  #current: OpenItem | OpenCall | undefined
  /** Which call that is, when it is one. */
  #call = -1
  readonly #done: OutputItem[] = []
  #reason: FinishReason = 'stop'

  constructor(options: AssemblerOptions) {
    this.#options = options
    this.#reply = options.reply
    this.#summarises = options.reply.reasoning.summary !== null
  }

  /** Something has been generated. */
  get hasBegun(): boolean {
    return this.#items.length > 0
  }

  /** A background response waits in the queue until `start()`. */
  begin(): UnnumberedEvent[] {
    const created: UnnumberedEvent = { type: 'response.created', response: this.#reply }
    return this.#reply.background ? [created, { type: 'response.queued', response: this.#reply }] : [created, ...this.start()]
  }

  start(): UnnumberedEvent[] {
    this.#reply = { ...this.#reply, status: 'in_progress' }
    return [{ type: 'response.in_progress', response: this.#reply }]
  }

  push(event: GenerateEvent): UnnumberedEvent[] {
    switch (event.type) {
      case 'text-delta':
        return this.#pushText(event)
      case 'reasoning-delta':
        return this.#pushThought(event.text)
      case 'tool-call-delta':
        return this.#pushCall(event)
      case 'choice-end':
        this.#reason = event.reason
        return this.#closeCurrent(event.reason === 'length' ? 'incomplete' : 'completed')
      case 'queued':
      case 'loading':
      case 'prefill':
      case 'prompt-logprobs':
      case 'notice':
      case 'finish':
      case 'error':
        return []
    }
  }

  /** What is still open is closed; the response is what the last event carries. */
  finish(usage: Usage): { events: UnnumberedEvent[]; response: Response } {
    const cut = this.#reason === 'length'
    // Clients expect at least one item.
    const opening = this.#items.length === 0 ? this.#openText().events : []
    const events = [...opening, ...this.#closeCurrent(cut ? 'incomplete' : 'completed')]
    const response: Response = {
      ...this.#reply,
      status: cut ? 'incomplete' : 'completed',
      completed_at: cut ? null : this.#options.now(),
      incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
      output: this.#output(),
      usage: wireUsage(usage),
    }
    return { events, response }
  }

  fail(error: WireError): { events: UnnumberedEvent[]; response: Response } {
    const events = this.#closeCurrent('incomplete')
    return { events, response: failedResponse({ ...this.#reply, output: this.#output() }, error) }
  }

  #pushText({ text, logprobs }: Extract<GenerateEvent, { type: 'text-delta' }>): UnnumberedEvent[] {
    if (text === '' && !logprobs?.length) return []
    const { item, events } = this.#openText()
    const tokens = wireLogprobs(logprobs ?? [])
    item.text += text
    item.logprobs.push(...tokens)
    events.push({ type: 'response.output_text.delta', ...contentPlace(item), delta: text, logprobs: tokens })
    return events
  }

  #pushThought(text: string): UnnumberedEvent[] {
    if (text === '') return []
    const { item, events } = this.#openThought()
    item.text += text
    events.push(
      this.#summarises
        ? { type: 'response.reasoning_summary_text.delta', ...summaryPlace(item), delta: text }
        : { type: 'response.reasoning_text.delta', ...contentPlace(item), delta: text },
    )
    return events
  }

  #pushCall({ call, id, name, arguments: text }: Extract<GenerateEvent, { type: 'tool-call-delta' }>): UnnumberedEvent[] {
    const open = this.#current?.type === 'call' && this.#call === call ? this.#current : undefined
    const { item, events } = open ? { item: open, events: [] } : this.#openCall(call, id, name)
    item.arguments += text
    return [...events, ...callDelta(item, text)]
  }

  #openText(): { item: OpenOf<'message'>; events: UnnumberedEvent[] } {
    if (this.#current?.type === 'message') return { item: this.#current, events: [] }
    const events = this.#closeCurrent('completed')
    const item: OpenOf<'message'> = { ...this.#nextPlace('msg'), type: 'message', text: '', logprobs: [] }
    this.#items.push(item)
    this.#current = item
    events.push(added({ id: item.id, type: 'message', role: 'assistant', status: 'in_progress', content: [] }, item))
    events.push({ type: 'response.content_part.added', ...contentPlace(item), part: textPart('', []) })
    return { item, events }
  }

  #openThought(): { item: OpenOf<'reasoning'>; events: UnnumberedEvent[] } {
    if (this.#current?.type === 'reasoning') return { item: this.#current, events: [] }
    const events = this.#closeCurrent('completed')
    const item: OpenOf<'reasoning'> = { ...this.#nextPlace('rs'), type: 'reasoning', text: '' }
    this.#items.push(item)
    this.#current = item
    events.push(added({ id: item.id, type: 'reasoning', summary: [], content: [], status: 'in_progress' }, item))
    events.push(
      this.#summarises
        ? { type: 'response.reasoning_summary_part.added', ...summaryPlace(item), part: { type: 'summary_text', text: '' } }
        : { type: 'response.content_part.added', ...contentPlace(item), part: { type: 'reasoning_text', text: '' } },
    )
    return { item, events }
  }

  #openCall(call: number, id: string | undefined, name = ''): { item: OpenCall; events: UnnumberedEvent[] } {
    if (call <= this.#call) throw new Error(`call ${call} goes on after it ended`)
    const events = this.#closeCurrent('completed')
    const tool = this.#options.names?.get(name) ?? { type: 'function', name }
    const place = this.#nextPlace(tool.type === 'custom' ? 'ctc' : 'fc')
    const item: OpenCall = { ...place, type: 'call', callId: id ?? place.id.replace(/^[a-z]+_/, 'call_'), tool, arguments: '' }
    this.#items.push(item)
    this.#current = item
    this.#call = call
    events.push(added(callItem(item, 'in_progress'), item))
    return { item, events }
  }

  /** Ids follow from the response's, so that they are the same whoever asks. */
  #nextPlace(prefix: string): { id: string; index: number } {
    const index = this.#items.length
    return { id: `${prefix}_${this.#reply.id.replace(/^resp_/, '')}${index.toString(16).padStart(2, '0')}`, index }
  }

  #closeCurrent(status: Status): UnnumberedEvent[] {
    const item = this.#current
    this.#current = undefined
    switch (item?.type) {
      case undefined:
        return []
      case 'message':
        return this.#closeText(item, status)
      case 'reasoning':
        return this.#closeThought(item, status)
      case 'call':
        return this.#closeCall(item, status)
    }
  }

  #closeText(item: OpenOf<'message'>, status: Status): UnnumberedEvent[] {
    const { id, text, logprobs } = item
    const part = textPart(text, logprobs)
    return [
      { type: 'response.output_text.done', ...contentPlace(item), text, logprobs },
      { type: 'response.content_part.done', ...contentPlace(item), part },
      this.#doneItem({ id, type: 'message', role: 'assistant', status, content: [part] }, item),
    ]
  }

  #closeThought(item: OpenOf<'reasoning'>, status: Status): UnnumberedEvent[] {
    const { id, text } = item
    const sealed = this.#options.seal ? { encrypted_content: this.#options.seal(text) } : {}
    if (this.#summarises) {
      const part = { type: 'summary_text' as const, text }
      return [
        { type: 'response.reasoning_summary_text.done', ...summaryPlace(item), text },
        { type: 'response.reasoning_summary_part.done', ...summaryPlace(item), part },
        this.#doneItem({ id, type: 'reasoning', summary: [part], content: [], ...sealed, status }, item),
      ]
    }
    const part = { type: 'reasoning_text' as const, text }
    return [
      { type: 'response.reasoning_text.done', ...contentPlace(item), text },
      { type: 'response.content_part.done', ...contentPlace(item), part },
      this.#doneItem({ id, type: 'reasoning', summary: [], content: [part], ...sealed, status }, item),
    ]
  }

  #closeCall(item: OpenCall, status: Status): UnnumberedEvent[] {
    return [...closedCall(item), this.#doneItem(callItem(item, status), item)]
  }

  #doneItem(item: OutputItem, { index }: Pick<OpenItem, 'index'>): UnnumberedEvent {
    this.#done[index] = item
    return { type: 'response.output_item.done', output_index: index, item }
  }

  #output(): OutputItem[] {
    return this.#done.filter((item) => item !== undefined)
  }
}

/** A response that ends with an error; what came before stays. */
export function failedResponse(reply: Response, error: WireError): Response {
  return { ...reply, status: 'failed', error: { code: errorCodeOf(error), message: error.message } }
}

/** The last event of a response that has ended. */
export function lastEvent(response: Response): UnnumberedEvent {
  switch (response.status) {
    case 'completed':
      return { type: 'response.completed', response }
    case 'incomplete':
      return { type: 'response.incomplete', response }
    default:
      return { type: 'response.failed', response }
  }
}

const INVALID_PROMPT = new Set([
  'prompt-too-long',
  'empty-prompt',
  'template-refused',
  'template-failed',
  'invalid-field',
  'invalid-grammar',
  'invalid-schema',
  'invalid-pattern',
  'constraint-too-slow',
  'invalid-token',
])

/** OpenAI's list has three that can happen here. */
function errorCodeOf({ code }: WireError): NonNullable<Response['error']>['code'] {
  if (code === 'queue-full') return 'rate_limit_exceeded'
  return INVALID_PROMPT.has(code) ? 'invalid_prompt' : 'server_error'
}

function wireUsage({ promptTokens, cachedTokens, completionTokens, reasoningTokens }: Usage): ResponseUsage {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: promptTokens + completionTokens,
  }
}

function placeOf({ id, index }: OpenItem): { item_id: string; output_index: number } {
  return { item_id: id, output_index: index }
}

function contentPlace(item: OpenItem): { item_id: string; output_index: number; content_index: number } {
  return { ...placeOf(item), content_index: 0 }
}

function summaryPlace(item: OpenItem): { item_id: string; output_index: number; summary_index: number } {
  return { ...placeOf(item), summary_index: 0 }
}

function added(item: OutputItem, { index }: Pick<OpenItem, 'index'>): UnnumberedEvent {
  return { type: 'response.output_item.added', output_index: index, item }
}

function textPart(text: string, logprobs: ResponseLogprob[]): Extract<OutputItem, { type: 'message' }>['content'][number] {
  return { type: 'output_text', text, annotations: [], logprobs }
}
