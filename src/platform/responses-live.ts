/** A response that runs in the background: its events are numbered and kept while it runs, so that any reader can begin anywhere. */
import { deferred } from '../base/async.ts'
import type { Logger } from '../base/logger.ts'
import { AppError, toWireError } from '../shared/errors.ts'
import { isLastEvent, type ResponseEvent, type UnnumberedEvent } from '../shared/response-events.ts'
import type { Response } from '../shared/responses.ts'

export interface LiveResponseOptions {
  open(signal: AbortSignal): AsyncIterable<UnnumberedEvent>
  /** Stores the end, before any reader hears of it. */
  onEnd(response: Response, events: readonly ResponseEvent[]): Promise<void>
  /** ms since 1970. */
  now(): number
  logger: Logger
}

/** Why it was ended from outside. */
type Ending = 'cancelled' | 'stopped'

export class LiveResponse {
  readonly #options: LiveResponseOptions
  readonly #events: ResponseEvent[] = []
  readonly #controller = new AbortController()
  #ending: Ending | undefined
  #response: Response
  #changed = deferred<void>()
  #isOver = false
  /** Whether the end could be stored. */
  readonly ended: Promise<boolean>

  constructor(response: Response, options: LiveResponseOptions) {
    this.#response = response
    this.#options = options
    this.ended = this.#run()
  }

  /** As far as it has got; the output comes at the end. */
  get response(): Response {
    return this.#response
  }

  /** Idempotent. */
  async cancel(): Promise<Response> {
    await this.#end('cancelled')
    return this.#response
  }

  /** The server goes down. */
  async stop(): Promise<void> {
    await this.#end('stopped')
  }

  async *watch(after: number, signal: AbortSignal): AsyncGenerator<ResponseEvent> {
    const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    let next = Math.max(0, after + 1)
    while (!signal.aborted) {
      const event = this.#events[next]
      if (event) {
        next += 1
        yield event
      } else if (this.#isOver) {
        return
      } else {
        await Promise.race([this.#changed.promise, gone])
      }
    }
  }

  async #end(ending: Ending): Promise<void> {
    this.#ending ??= ending
    this.#controller.abort()
    await this.ended
  }

  async #run(): Promise<boolean> {
    try {
      for await (const event of this.#options.open(this.#controller.signal)) {
        if (isLastEvent(event)) return await this.#finish(event)
        // What the source says after its end was decided is no longer true.
        if (this.#ending === undefined) this.#append(event)
      }
      return await this.#finish(this.#failed(new AppError('internal', { reason: 'the answer ended without a last event' })))
    } catch (error) {
      return await this.#finish(this.#failed(error))
    }
  }

  #failed(error: unknown): UnnumberedEvent {
    const { message } = toWireError(error)
    return { type: 'response.failed', response: { ...this.#response, status: 'failed', error: { code: 'server_error', message } } }
  }

  async #finish(event: UnnumberedEvent): Promise<boolean> {
    const last = this.#lastEvent(event)
    const response = 'response' in last ? last.response : this.#cancelledResponse(event)
    const numbered: ResponseEvent = { ...last, sequence_number: this.#events.length }
    let isStored = true
    try {
      await this.#options.onEnd(response, [...this.#events, numbered])
    } catch (error) {
      isStored = false
      this.#options.logger.error('a background response could not be stored', { id: response.id, error })
    }
    this.#response = response
    this.#append(last)
    this.#isOver = true
    return isStored
  }

  /** There is no event for a cancelled response; its readers get an error. */
  #lastEvent(event: UnnumberedEvent): UnnumberedEvent {
    switch (this.#ending) {
      case undefined:
        return event
      case 'cancelled':
        return { type: 'error', code: 'cancelled', message: 'The response was cancelled.', param: null }
      case 'stopped':
        return this.#failed(new AppError('shutting-down'))
    }
  }

  /** What had been generated is kept. */
  #cancelledResponse(event: UnnumberedEvent): Response {
    const output = 'response' in event ? event.response.output : []
    return { ...this.#response, output, status: 'cancelled' }
  }

  #append(event: UnnumberedEvent): void {
    if ('response' in event) this.#response = event.response
    this.#events.push({ ...event, sequence_number: this.#events.length })
    const { resolve } = this.#changed
    this.#changed = deferred()
    resolve()
  }
}
