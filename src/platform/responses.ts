/** Responses that can be asked for again: kept, continued, listed, deleted; and those that run without their client. */
import { z } from 'zod'
import type { Logger } from '../base/logger.ts'
import { AppError } from '../shared/errors.ts'
import { ResponseEventSchema, type ResponseEvent, type UnnumberedEvent } from '../shared/response-events.ts'
import { ConversationItemSchema, OutputItemSchema, ResponseSchema, type ConversationItem, type Response } from '../shared/responses.ts'
import {
  deleteResponse,
  deleteResponsesBefore,
  findItem,
  findResponse,
  findResponseEvents,
  findResponsesInStatus,
  saveResponse,
} from '../store/responses.ts'
import type { Database } from '../store/schema.ts'
import { LiveResponse } from './responses-live.ts'

export interface ResponsesOptions {
  /** Throws `store-unavailable`. */
  database(): Promise<Database>
  logger: Logger
  /** ms since 1970. */
  now(): number
}

export interface StartBackground {
  response: Response
  input: readonly ConversationItem[]
  /** The events are kept, so that they can be read again. */
  keepEvents: boolean
  open(signal: AbortSignal): AsyncIterable<UnnumberedEvent>
}

/** As long as OpenAI keeps them: 30 days, ms. */
const KEPT_MS = 30 * 24 * 3600 * 1000
/** Turns of a conversation at most; a longer one is a mistake, or somebody's joke. */
const MAX_TURNS = 10_000

const itemsJson = (items: readonly ConversationItem[]): { id: string; json: string }[] =>
  items.map((item) => ({ id: item.id, json: JSON.stringify(item) }))

export class Responses {
  readonly #options: ResponsesOptions
  readonly #live = new Map<string, LiveResponse>()

  constructor(options: ResponsesOptions) {
    this.#options = options
  }

  /** False when it cannot be kept (told in the log); the answer is given all the same. */
  async keep(response: Response, input: readonly ConversationItem[]): Promise<boolean> {
    try {
      await this.#save(response, input)
      return true
    } catch (error) {
      this.#options.logger.error('a response could not be stored', { id: response.id, error })
      return false
    }
  }

  /** As it is now. Throws `response-not-found`, `store-unavailable`. */
  async get(id: string): Promise<Response> {
    const live = this.#live.get(id)
    if (live) return live.response
    return (await this.#find(id)).response
  }

  /** What the model is to be given of the conversation so far, the oldest first. Throws `previous-response-not-found`. */
  async conversation(id: string): Promise<ConversationItem[]> {
    const turns: ConversationItem[][] = []
    let next: string | null = id
    while (next !== null) {
      const found = await this.#findPrevious(next)
      if (turns.length === MAX_TURNS)
        throw new AppError('invalid-field', { field: 'previous_response_id', reason: `more than ${MAX_TURNS} turns` })
      turns.push([...found.input, ...found.response.output])
      next = found.response.previous_response_id
    }
    return turns.toReversed().flat()
  }

  /** Everything that the model was given: the conversation before, and this response's own input. Throws `response-not-found`. */
  async inputItems(id: string): Promise<ConversationItem[]> {
    const { response, input } = await this.#find(id)
    const { previous_response_id: previous } = response
    // What lay before may have been deleted; the rest can still be listed.
    const before = previous === null ? [] : await this.conversation(previous).catch(ignoreMissing)
    return [...before, ...input]
  }

  /** The newest stored item with this id. */
  async item(id: string): Promise<ConversationItem | undefined> {
    const json = await findItem(await this.#options.database(), id)
    return json === undefined ? undefined : ConversationItemSchema.parse(JSON.parse(json))
  }

  /** A background response is stopped first. Throws `response-not-found`. */
  async delete(id: string): Promise<void> {
    const live = this.#live.get(id)
    await live?.cancel()
    this.#live.delete(id)
    if (!(await deleteResponse(await this.#options.database(), id)) && !live)
      throw new AppError('response-not-found', { id, field: 'response_id' })
  }

  /** Runs it until its end, whoever listens. Throws `store-unavailable` before it begins. */
  async start({ response, input, keepEvents, open }: StartBackground): Promise<void> {
    await this.#save(response, input)
    const live = new LiveResponse(response, {
      open,
      onEnd: async (last, events) => {
        await this.#save(last, input, keepEvents ? JSON.stringify(events) : undefined)
      },
      now: this.#options.now,
      logger: this.#options.logger,
    })
    this.#live.set(response.id, live)
    // What could not be stored stays here, as long as this process lives.
    void live.ended.then((isStored) => isStored && this.#live.get(response.id) === live && this.#live.delete(response.id))
  }

  /** Only what runs in the background can be cancelled; what has ended stays as it is. */
  async cancel(id: string): Promise<Response> {
    const live = this.#live.get(id)
    if (live) return live.cancel()
    const { response } = await this.#find(id)
    if (!response.background) throw new AppError('invalid-field', { field: 'response_id', reason: 'it does not run in the background' })
    return response
  }

  /** The events after this number, until the last. Throws `response-not-found`, and `invalid-field` when there is no stream to read. */
  async *watch(id: string, after: number, signal: AbortSignal): AsyncGenerator<ResponseEvent> {
    const live = this.#live.get(id)
    if (live) return yield* live.watch(after, signal)
    await this.#find(id)
    const json = await findResponseEvents(await this.#options.database(), id)
    if (json === undefined) {
      throw new AppError('invalid-field', {
        field: 'stream',
        reason: 'only responses made with "background" and "stream" can be streamed again',
      })
    }
    yield* z
      .array(ResponseEventSchema)
      .parse(JSON.parse(json))
      .filter(({ sequence_number: number }) => number > after)
  }

  async forgetOld(): Promise<void> {
    await deleteResponsesBefore(await this.#options.database(), this.#options.now() - KEPT_MS)
  }

  /** After a restart: what was running has failed. */
  async recover(): Promise<void> {
    const db = await this.#options.database()
    for (const row of await findResponsesInStatus(db, ['queued', 'in_progress'])) {
      if (this.#live.has(row.id)) continue
      const { response, input } = await this.#find(row.id)
      const error = { code: 'server_error' as const, message: 'The server stopped while this response was being generated. Send it again.' }
      await this.#save({ ...response, status: 'failed', error }, input)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#live.values()].map((live) => live.stop()))
  }

  async #findPrevious(id: string): Promise<{ response: Response; input: ConversationItem[] }> {
    const field = 'previous_response_id'
    const found = await this.#find(id).catch((error: unknown) => {
      throw error instanceof AppError && error.code === 'response-not-found'
        ? new AppError('previous-response-not-found', { id, field })
        : error
    })
    const { status } = found.response
    if (status === 'queued' || status === 'in_progress')
      throw new AppError('invalid-field', { field, reason: `the response ${id} has not ended yet: it is ${status}` })
    return found
  }

  async #find(id: string): Promise<{ response: Response; input: ConversationItem[] }> {
    const stored = await findResponse(await this.#options.database(), id)
    if (!stored) throw new AppError('response-not-found', { id, field: 'response_id' })
    const output = stored.output.map((json) => OutputItemSchema.parse(JSON.parse(json)))
    const reply: unknown = JSON.parse(stored.reply)
    return {
      response: { ...ResponseSchema.parse(reply), output },
      input: stored.input.map((json) => ConversationItemSchema.parse(JSON.parse(json))),
    }
  }

  async #save(response: Response, input: readonly ConversationItem[], events?: string): Promise<void> {
    const row = {
      id: response.id,
      previous_id: response.previous_response_id,
      status: response.status,
      background: response.background ? 1 : 0,
      created_at: response.created_at * 1000,
      reply: JSON.stringify({ ...response, output: [] }),
    }
    await saveResponse(await this.#options.database(), row, { input: itemsJson(input), output: itemsJson(response.output) }, events)
  }
}

function ignoreMissing(error: unknown): ConversationItem[] {
  if (error instanceof AppError && error.code === 'previous-response-not-found') return []
  throw error
}
