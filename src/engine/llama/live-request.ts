/** One request on the engine's side: what its caller still has to read, and the split of thoughts from the answer. */
import { AsyncQueue } from '../../base/async.ts'
import { createReasoningSplitter } from '../../formats/reasoning-split.ts'
import type { ReasoningSplitter } from '../../formats/reasoning-split.ts'
import { toWireError } from '../../shared/errors.ts'
import type { GenerateEvent, TokenLogprob } from '../../shared/generate.ts'
import type { GenerateCommand, WorkerEvent } from './messages.ts'

export interface LiveRequestOptions {
  command: GenerateCommand
  /** Absent: the text is passed on as it is. */
  thoughts: { opensThought: boolean; mayThink: boolean } | undefined
}

export class LiveRequest {
  readonly command: GenerateCommand
  readonly events: AsyncQueue<GenerateEvent> = new AsyncQueue<GenerateEvent>()
  /** It was admitted, so a part of the answer may be out: it cannot be sent again. */
  started = false
  /** How often it was sent to a worker. */
  sent = 0
  readonly #splitters: (ReasoningSplitter | undefined)[]
  /** Choices whose last text was a thought: a piece that is held back counts as one too. */
  readonly #thinking = new Set<number>()
  #reasoningTokens = 0
  #ended = false

  constructor(options: LiveRequestOptions) {
    this.command = options.command
    this.#splitters = Array.from({ length: options.command.choices }, () => options.thoughts && createReasoningSplitter(options.thoughts))
  }

  get ended(): boolean {
    return this.#ended
  }

  take(event: WorkerEvent): void {
    if (event.type !== 'queued') this.started = true
    switch (event.type) {
      case 'text':
        return this.#takeText(event)
      case 'choice-end':
        this.#flushThoughts(event.choice)
        return this.events.push(event)
      case 'finish':
        return this.#end({ type: 'finish', usage: { ...event.usage, reasoningTokens: this.#reasoningTokens }, timings: event.timings })
      case 'error':
        return this.#end(event)
      case 'queued':
      case 'prefill':
        return this.events.push(event)
    }
  }

  /** Once; later ends are ignored. */
  fail(error: unknown): void {
    this.#end({ type: 'error', error: toWireError(error) })
  }

  #takeText({ choice, text, tokens, logprobs }: Extract<WorkerEvent, { type: 'text' }>): void {
    const splitter = this.#splitters[choice]
    if (!splitter) return this.#pushDelta('text-delta', choice, text, logprobs)
    const parts = splitter.push(text)
    if (parts.reasoning !== '' || (parts.text === '' && this.#thinking.has(choice))) {
      this.#thinking.add(choice)
      this.#reasoningTokens += tokens
    } else if (parts.text !== '') this.#thinking.delete(choice)
    this.#pushDelta('reasoning-delta', choice, parts.reasoning, parts.text === '' ? logprobs : undefined)
    this.#pushDelta('text-delta', choice, parts.text, parts.text === '' ? undefined : logprobs)
  }

  #flushThoughts(choice: number): void {
    const rest = this.#splitters[choice]?.end()
    if (!rest) return
    this.#pushDelta('reasoning-delta', choice, rest.reasoning, undefined)
    this.#pushDelta('text-delta', choice, rest.text, undefined)
  }

  #pushDelta(type: 'text-delta' | 'reasoning-delta', choice: number, text: string, logprobs: TokenLogprob[] | undefined): void {
    if (text === '' && !logprobs) return
    this.events.push(logprobs ? { type, choice, text, logprobs } : { type, choice, text })
  }

  #end(event: GenerateEvent): void {
    if (this.#ended) return
    this.#ended = true
    this.events.push(event)
    this.events.end()
  }
}
