/**
 * The one writer of event streams. The response is held until there is something that cannot be taken back: an error that comes before the first
 * word keeps its HTTP status, and a client that waits long is told why by comments.
 */
import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { formatSseComment } from '../base/sse.ts'
import { AppError, fromWireError, toWireError } from '../shared/errors.ts'
import type { WireError } from '../shared/generate.ts'
import type { StreamFraming } from './dialects/openai-reply.ts'
import { EventInbox, type Merge } from './event-inbox.ts'

/** Milliseconds. */
export interface StreamTiming {
  /** How long the headers wait for the first real event. */
  hold: number
  /** Silence after which a comment keeps proxies from hanging up. */
  keepAlive: number
}

export const STREAM_TIMING: StreamTiming = { hold: 1000, keepAlive: 10_000 }

const STREAM_TYPES = { sse: 'text/event-stream; charset=utf-8', ndjson: 'application/x-ndjson' } as const

/**
 * `chunked` is what Node does by itself; said aloud, @hono/node-server writes the first event at once instead of waiting a millisecond for the
 * end of a short reply. HTTP/1.0 has no chunks.
 */
export function streamHeaders(c: Pick<Context, 'env'>, framing: StreamFraming = 'sse'): Record<string, string> {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage }
  return {
    'content-type': STREAM_TYPES[framing],
    'cache-control': 'no-cache, no-transform',
    // nginx would collect the stream otherwise.
    'x-accel-buffering': 'no',
    ...(incoming?.httpVersion === '1.1' ? { 'transfer-encoding': 'chunked' } : {}),
  }
}

export interface StreamSource<Event extends object> {
  /** Called at once; the signal fires when the client has gone. */
  open(signal: AbortSignal): AsyncIterable<Event>
  merge: Merge<Event>
  /** Only says how the waiting goes: does not end the holding of the response. */
  isWaiting(event: Event): boolean
  /** The error of an event that ends the stream badly. */
  errorOf(event: Event): WireError | undefined
  /** Whether the stream may end after this event. */
  isLast(event: Event): boolean
  /** Absent is `sse`. Lines of JSON have no comments, so a silent stream of them stays silent. */
  framing?: StreamFraming
  encode(event: Event): string
  encodeError(error: WireError): string
  encodeEnd(): string
}

export interface StreamOptions {
  timing: StreamTiming
  /** Fires when the client has gone. */
  clientGone: AbortSignal
  /** Told what the source threw after the headers had been sent. */
  onFailure?(error: unknown): void
}

/** The body of the response. Throws, before anything is sent, what the source throws or tells first. */
export async function openEventStream<Event extends object>(
  source: StreamSource<Event>,
  { timing, clientGone, onFailure }: StreamOptions,
): Promise<ReadableStream<Uint8Array>> {
  const controller = new AbortController()
  const inbox = new EventInbox(source.open(controller.signal), source.merge)
  const leave = (): void => {
    clientGone.removeEventListener('abort', leave)
    controller.abort()
    inbox.stop()
  }
  if (clientGone.aborted) leave()
  else clientGone.addEventListener('abort', leave)
  try {
    await holdBack(inbox, source, timing.hold)
  } catch (error) {
    leave()
    throw clientGone.aborted ? new AppError('cancelled') : error
  }
  return bodyOf(inbox, source, { timing, leave, ...(onFailure ? { onFailure } : {}) })
}

async function holdBack<Event extends object>(inbox: EventInbox<Event>, source: StreamSource<Event>, ms: number): Promise<void> {
  const hold = createAlarm(ms)
  try {
    for (;;) {
      const first = inbox.pending.find((event) => !source.isWaiting(event))
      const error = first && source.errorOf(first)
      if (error) throw fromWireError(error)
      if (first) return
      if (inbox.ended) throw inbox.failure ?? new AppError('internal', { reason: 'the answer ended before it began' })
      if ((await hold.race(inbox.changed())) === 'alarm') return
    }
  } finally {
    hold.clear()
  }
}

interface BodyOptions {
  timing: StreamTiming
  leave(): void
  onFailure?(error: unknown): void
}

/** Pulled by the reader, so that back-pressure stops here and the inbox merges meanwhile. */
function bodyOf<Event extends object>(
  inbox: EventInbox<Event>,
  source: StreamSource<Event>,
  { timing, leave, onFailure }: BodyOptions,
): ReadableStream<Uint8Array> {
  const silence = createAlarm(timing.keepAlive)
  let finished = false
  let gone = false
  const close = (): void => {
    // The source ends now without a last event, since nobody is there for it.
    finished = true
    silence.clear()
    leave()
  }
  const takeText = (): string => {
    let text = ''
    for (const event of inbox.take()) {
      text += source.encode(event)
      const broken = source.errorOf(event) !== undefined
      if (!broken && !source.isLast(event)) continue
      finished = true
      return broken ? text : text + source.encodeEnd()
    }
    return text
  }
  const endBadly = (): string => {
    finished = true
    const error = inbox.failure ?? new AppError('internal', { reason: 'the answer ended without a finish' })
    onFailure?.(error)
    return source.encodeError(toWireError(error))
  }
  const nextText = async (): Promise<string> => {
    for (;;) {
      const text = takeText()
      if (text !== '') return text
      if (finished) return ''
      if (inbox.ended) return endBadly()
      if ((await silence.race(inbox.changed())) === 'alarm' && source.framing !== 'ndjson') return formatSseComment('keep-alive')
    }
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(reader) {
        const text = await nextText()
        if (gone) return
        if (text !== '') reader.enqueue(Buffer.from(text))
        if (!finished) return
        close()
        reader.close()
      },
      cancel: () => {
        gone = true
        close()
      },
    },
    { highWaterMark: 0 },
  )
}

interface Alarm {
  /** Which comes first: the promise, or `ms` from now. */
  race(promise: Promise<void>): Promise<'promise' | 'alarm'>
  clear(): void
}

/** One timer for many waits: arming it again for every event costs next to nothing. */
function createAlarm(ms: number): Alarm {
  let ring: (() => void) | undefined
  const timer = setTimeout(() => ring?.(), ms)
  timer.unref()
  return {
    race: (promise) =>
      new Promise((resolve) => {
        ring = () => resolve('alarm')
        timer.refresh()
        void promise.then(() => {
          ring = undefined
          resolve('promise')
        })
      }),
    clear: () => clearTimeout(timer),
  }
}
