/** One request in the worker: its sequences (one a choice), their text, and what is told about them. */
import type { FinishReason, Timings, TokenLogprob } from '../../shared/generate.ts'
import { AppError, toWireError } from '../../shared/errors.ts'
import type { GenerateCommand, WorkerEvent } from './messages.ts'
import { generatedCount } from './sequence.ts'
import type { Emission, Sequence } from './sequence.ts'
import { TextStream } from './text-stream.ts'

export interface GenerationOptions {
  command: GenerateCommand
  pieceBytes(token: number): Uint8Array
  now(): number
}

interface Choice {
  sequence: Sequence
  text: TextStream
  /** Sampled tokens that count: those after a stop string do not. */
  tokens: number
  thoughtTokens: number
  ended: boolean
}

export class Generation {
  readonly id: number
  readonly #options: GenerationOptions
  readonly #choices: Choice[] = []
  #ended = false
  #lastPosition = 0

  constructor(options: GenerationOptions) {
    this.id = options.command.id
    this.#options = options
  }

  get ended(): boolean {
    return this.#ended
  }

  get sequences(): Sequence[] {
    return this.#choices.map((choice) => choice.sequence)
  }

  /** Choices in their order. */
  add(sequence: Sequence): void {
    this.#choices.push({ sequence, text: new TextStream(this.#options.command.stop), tokens: 0, thoughtTokens: 0, ended: false })
  }

  /** Where the first of its sequences stands in the queue; told when it changes. */
  queued(position: number): WorkerEvent[] {
    if (position === this.#lastPosition || position === 0) return []
    this.#lastPosition = position
    return [{ type: 'queued', position }]
  }

  /** Events for an emission, and whether the sequence is to be finished because of a stop string. */
  take(emission: Emission): { events: WorkerEvent[]; finish: boolean } {
    const choice = this.#choices.findIndex((c) => c.sequence === emission.sequence)
    const state = this.#choices[choice]
    if (this.#ended || !state || state.ended) return { events: [], finish: false }
    switch (emission.type) {
      case 'admitted':
        return { events: prefillEvents(choice, emission.sequence, emission.sequence.cachedTokens), finish: false }
      case 'prefill':
        return { events: prefillEvents(choice, emission.sequence, emission.done), finish: false }
      case 'tokens':
        return this.#takeTokens(choice, state, emission.tokens)
      case 'ended':
        return { events: this.#endChoice(choice, state, emission.reason), finish: false }
      case 'failed':
        return {
          events: this.fail(
            emission.code === 'internal' ? new Error(emission.reason) : new AppError(emission.code, { reason: emission.reason }),
          ),
          finish: false,
        }
    }
  }

  /** Ends the whole request with an error; once. */
  fail(error: unknown): WorkerEvent[] {
    if (this.#ended) return []
    this.#ended = true
    return [{ type: 'error', error: toWireError(error) }]
  }

  /** Ends an answer that has said enough; nothing of what comes later is told. */
  endChoice(choice: number): WorkerEvent[] {
    const state = this.#choices[choice]
    return !this.#ended && state && !state.ended ? this.#closeChoice(choice, state, 'stop') : []
  }

  #takeTokens(
    choice: number,
    state: Choice,
    tokens: Extract<Emission, { type: 'tokens' }>['tokens'],
  ): { events: WorkerEvent[]; finish: boolean } {
    const events: WorkerEvent[] = []
    let part = emptyPart()
    const flush = (): void => {
      events.push(...textEvents(choice, part))
      part = emptyPart()
    }
    for (const { token, logprob, isThought = false, closedBy } of tokens) {
      state.tokens++
      if (isThought) state.thoughtTokens++
      if (closedBy) events.push({ type: 'notice', notice: { code: 'thought-closed', choice, why: closedBy } })
      const piece = state.text.push(this.#options.pieceBytes(token), logprob)
      part = {
        text: part.text + piece.text,
        tokens: part.tokens + 1,
        thoughtTokens: part.thoughtTokens + Number(isThought),
        logprobs: [...part.logprobs, ...piece.logprobs],
      }
      if (piece.stopped !== undefined) {
        flush()
        return { events: [...events, ...this.#closeChoice(choice, state, 'stop', piece.stopped)], finish: true }
      }
      // With logprobs token by token: whoever splits the text has to know what belongs to which part.
      if (logprob) flush()
    }
    flush()
    return { events, finish: false }
  }

  #endChoice(choice: number, state: Choice, reason: FinishReason): WorkerEvent[] {
    const rest = state.text.end()
    return [
      ...textEvents(choice, { ...emptyPart(), text: rest.text, logprobs: rest.logprobs }),
      ...this.#closeChoice(choice, state, reason),
    ]
  }

  #closeChoice(choice: number, state: Choice, reason: FinishReason, stopSequence?: string): WorkerEvent[] {
    state.ended = true
    const end: WorkerEvent = { type: 'choice-end', choice, reason, ...(stopSequence === undefined ? {} : { stopSequence }) }
    if (this.#choices.length < this.#options.command.choices || this.#choices.some((c) => !c.ended)) return [end]
    this.#ended = true
    return [end, this.#finish()]
  }

  /** The prompt counts once, however many choices it has. */
  #finish(): WorkerEvent {
    const first = this.#choices[0]
    const promptTokens = first?.sequence.promptLength ?? 0
    const cachedTokens = first?.sequence.cachedTokens ?? 0
    const completionTokens = sum(this.#choices.map((c) => c.tokens))
    return {
      type: 'finish',
      usage: { promptTokens, cachedTokens, completionTokens, reasoningTokens: sum(this.#choices.map((c) => c.thoughtTokens)) },
      timings: this.#timings(promptTokens - cachedTokens, completionTokens),
    }
  }

  #timings(promptTokens: number, completionTokens: number): Timings {
    const times = this.#choices.map((c) => c.sequence.times)
    const now = this.#options.now()
    const arrived = Math.min(...times.map((t) => t.arrived))
    const admitted = Math.min(...times.map((t) => t.admitted ?? now))
    const firstToken = Math.min(...times.map((t) => t.firstToken ?? now))
    return {
      queuedMs: admitted - arrived,
      promptMs: firstToken - admitted,
      promptTokens,
      decodeMs: now - firstToken,
      decodeTokens: Math.max(0, completionTokens - this.#choices.filter((c) => generatedCount(c.sequence) > 0).length),
      draftedTokens: sum(this.#choices.map((c) => c.sequence.draftedTokens)),
      acceptedTokens: sum(this.#choices.map((c) => c.sequence.acceptedTokens)),
    }
  }
}

/** Progress is told once for all choices: they share the prompt. */
function prefillEvents(choice: number, sequence: Sequence, done: number): WorkerEvent[] {
  return choice === 0 ? [{ type: 'prefill', done, total: sequence.promptLength }] : []
}

interface TextPart {
  text: string
  tokens: number
  thoughtTokens: number
  logprobs: TokenLogprob[]
}

function emptyPart(): TextPart {
  return { text: '', tokens: 0, thoughtTokens: 0, logprobs: [] }
}

function textEvents(choice: number, { text, tokens, thoughtTokens, logprobs }: TextPart): WorkerEvent[] {
  const some = logprobs.length > 0
  if (text === '' && tokens === 0 && !some) return []
  return [{ type: 'text', choice, text, tokens, thoughtTokens, ...(some ? { logprobs } : {}) }]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
