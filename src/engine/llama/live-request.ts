/** One request on the engine's side: what its caller still has to read, and the split of its text into thoughts, answer and tool calls. */
import { AsyncQueue } from '../../base/async.ts'
import type { AnswerParser, AnswerPiece } from '../../formats/answer-parser.ts'
import { toWireError } from '../../shared/errors.ts'
import type { FinishReason, GenerateEvent, TokenLogprob } from '../../shared/generate.ts'
import type { GenerateCommand, WorkerEvent } from './messages.ts'
import type { PreparedRequest } from './prepare-request.ts'

export interface LiveRequestOptions extends Omit<PreparedRequest, 'command'> {
  /** The caller's name of it. */
  requestId: string
  command: GenerateCommand
  /** Called once for an answer of which no more is wanted: it is to be ended. */
  endChoice(choice: number): void
}

export class LiveRequest {
  readonly requestId: string
  readonly command: GenerateCommand
  readonly events: AsyncQueue<GenerateEvent> = new AsyncQueue<GenerateEvent>()
  /** It was admitted, so a part of the answer may be out: it cannot be sent again. */
  started = false
  /** How often it was sent to a worker. */
  sent = 0
  readonly #parsers: (AnswerParser | undefined)[]
  /** Choices that have called a tool. */
  readonly #calling = new Set<number>()
  readonly #endChoice: (choice: number) => void
  /** Choices whose end was asked for. */
  readonly #enough = new Set<number>()
  #ended = false

  constructor({ requestId, command, createParser, notices, endChoice }: LiveRequestOptions) {
    this.#endChoice = endChoice
    this.requestId = requestId
    this.command = command
    this.#parsers = Array.from({ length: command.choices }, () => createParser?.())
    for (const notice of notices) this.events.push({ type: 'notice', notice })
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
        this.#pushPieces(event.choice, this.#parsers[event.choice]?.end() ?? [], undefined)
        return this.events.push({ ...event, reason: this.#reasonOf(event) })
      case 'finish':
      case 'error':
        return this.#end(event)
      case 'queued':
      case 'prefill':
      case 'prompt-logprobs':
      case 'notice':
        return this.events.push(event)
    }
  }

  /** Once; later ends are ignored. */
  fail(error: unknown): void {
    this.#end({ type: 'error', error: toWireError(error) })
  }

  #takeText({ choice, text, thoughtTokens, logprobs }: Extract<WorkerEvent, { type: 'text' }>): void {
    const parser = this.#parsers[choice]
    if (!parser) return this.#pushDelta('text-delta', choice, text, logprobs)
    const pieces = parser.push(text)
    // Those of a tool call have no place in any reply.
    const kind = thoughtTokens > 0 && this.command.thought ? 'reasoning' : parser.state === 'calling' ? undefined : kindOf(parser)
    this.#pushPieces(choice, pieces, kind && logprobs && { kind, logprobs })
    if (!parser.isOver || this.#enough.has(choice)) return
    this.#enough.add(choice)
    this.#endChoice(choice)
  }

  #pushPieces(
    choice: number,
    pieces: readonly AnswerPiece[],
    known: { kind: 'reasoning' | 'text'; logprobs: TokenLogprob[] } | undefined,
  ): void {
    let left = known
    for (const piece of pieces) {
      const logprobs = piece.type === left?.kind ? left.logprobs : undefined
      if (logprobs) left = undefined
      this.#pushPiece(choice, piece, logprobs)
    }
    if (left) this.#pushDelta(left.kind === 'reasoning' ? 'reasoning-delta' : 'text-delta', choice, '', left.logprobs)
  }

  #pushPiece(choice: number, piece: AnswerPiece, logprobs: TokenLogprob[] | undefined): void {
    switch (piece.type) {
      case 'reasoning':
        return this.#pushDelta('reasoning-delta', choice, piece.text, logprobs)
      case 'text':
        return this.#pushDelta('text-delta', choice, piece.text, logprobs)
      case 'call-begin':
        this.#calling.add(choice)
        return this.events.push({ type: 'tool-call-delta', choice, call: piece.call, id: piece.id, name: piece.name, arguments: '' })
      case 'call-arguments':
        return this.events.push({ type: 'tool-call-delta', choice, call: piece.call, arguments: piece.text })
      case 'call-end':
        if (piece.repaired) this.events.push({ type: 'notice', notice: { code: 'repaired-arguments', choice, call: piece.call } })
    }
  }

  #pushDelta(type: 'text-delta' | 'reasoning-delta', choice: number, text: string, logprobs: TokenLogprob[] | undefined): void {
    if (text === '' && !logprobs) return
    this.events.push(logprobs ? { type, choice, text, logprobs } : { type, choice, text })
  }

  /** An answer that was cut off in a call has not made it. */
  #reasonOf({ choice, reason }: Extract<WorkerEvent, { type: 'choice-end' }>): FinishReason {
    return reason === 'stop' && this.#calling.has(choice) ? 'tool-calls' : reason
  }

  #end(event: GenerateEvent): void {
    if (this.#ended) return
    this.#ended = true
    this.events.push(event)
    this.events.end()
  }
}

function kindOf(parser: AnswerParser): 'reasoning' | 'text' {
  return parser.state === 'thinking' ? 'reasoning' : 'text'
}
