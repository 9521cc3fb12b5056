/** Events of an answer as an HTTP reply, streamed or not. */
import type { Context } from 'hono'
import { AppError } from '../shared/errors.ts'
import type { GenerateEvent, Notice } from '../shared/generate.ts'
import { collectAnswer, type Answer } from './collect-answer.ts'
import { isWaiting, truncatedHeader, type StreamEncoder } from './dialects/openai-reply.ts'
import { openEventStream, streamHeaders } from './event-stream.ts'
import { mergeEvent } from './merge-events.ts'
import type { RouteContext } from './route-context.ts'

type Open = (signal: AbortSignal) => AsyncIterable<GenerateEvent>

/** Throws what comes before the first word; afterwards an error is a part of the stream. */
export async function streamReply(
  c: Context,
  { timing, logger }: RouteContext,
  open: Open,
  encoder: StreamEncoder<GenerateEvent>,
): Promise<Response> {
  refuseHead(c)
  const body = await openEventStream<GenerateEvent>(
    {
      open,
      ...(encoder.framing ? { framing: encoder.framing } : {}),
      merge: (pending, event) => {
        if (event.type === 'notice') tellTruncated(c, event.notice)
        mergeEvent(pending, event)
      },
      isWaiting,
      errorOf: (event) => (event.type === 'error' ? event.error : undefined),
      isLast: (event) => event.type === 'finish',
      encode: encoder.encode,
      encodeError: encoder.error,
      encodeEnd: encoder.end,
    },
    {
      timing,
      clientGone: c.req.raw.signal,
      onFailure: (error) => logger.error('a stream broke', { path: c.req.path, error }),
    },
  )
  return c.body(body, 200, streamHeaders(c, encoder.framing))
}

export async function jsonReply<Reply extends object>(
  c: Context,
  open: Open,
  choices: number,
  reply: (answer: Answer) => Reply,
): Promise<Response> {
  const answer = await collectAnswer(open(c.req.raw.signal), choices)
  for (const notice of answer.notices) tellTruncated(c, notice)
  return c.json(reply(answer))
}

/** A notice comes before the first word, for which the headers of a stream wait a while; no SDK shows the comment that tells it later. */
export function tellTruncated(c: Context, notice: Notice): void {
  const dropped = truncatedHeader([notice])
  if (dropped !== undefined && !c.finalized) c.header('x-bendi-truncated', dropped)
}

/** A HEAD request would do the work and throw it away, unread and therefore never ended. */
export function refuseHead(c: Context): void {
  if (c.req.method !== 'HEAD') return
  c.header('allow', 'GET')
  throw new AppError('method-not-allowed', { path: c.req.path, method: 'HEAD', allowed: 'GET' })
}
