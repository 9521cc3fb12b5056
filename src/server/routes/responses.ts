import { randomBytes } from 'node:crypto'
import { Hono, type Context } from 'hono'
import { AppError, fromWireError } from '../../shared/errors.ts'
import type { UnnumberedEvent } from '../../shared/response-events.ts'
import type { ConversationItem, Response as ModelResponse } from '../../shared/responses.ts'
import type { GenerateRequest } from '../../shared/generate.ts'
import type { Seal } from '../../platform/responses-seal.ts'
import { parseResponse, withConversation, type ResponseCall } from '../dialects/openai-responses.ts'
import { ResponseAssembler } from '../dialects/openai-responses-assembler.ts'
import { conversationMessages } from '../dialects/openai-responses-items.ts'
import {
  createStepEncoder,
  frame,
  isLastStep,
  isPrelude,
  mergeStep,
  responseSteps,
  type ResponseStep,
} from '../dialects/openai-responses-stream.ts'
import { truncationHeader } from '../dialects/openai-chat.ts'
import { wireList } from '../dialects/openai-files-batches.ts'
import { openEventStream, streamHeaders } from '../event-stream.ts'
import { refuseHead, tellTruncated } from '../generation-reply.ts'
import { readJson } from '../json-body.ts'
import { tellIgnored, unixSeconds, type RouteContext } from '../route-context.ts'
import { listQuery } from './list-query.ts'

/** A call with everything that had to be looked up. */
interface PreparedCall {
  call: ResponseCall
  /** This response's own input, references replaced. */
  input: ConversationItem[]
  request: GenerateRequest
  seal: Seal
}

/** `/v1/responses` */
export function responseRoutes(context: RouteContext): Hono {
  const { responses } = context.platform.records
  return new Hono()
    .post('/v1/responses', async (c) => {
      const prepared = await prepare(context, withTruncation(c, await readJson(c, context.bodyLimit)))
      tellIgnored(c, prepared.call.ignored)
      if (prepared.call.reply.background) return backgroundReply(c, context, prepared)
      return prepared.call.stream ? streamReply(c, context, prepared) : jsonReply(c, context, prepared)
    })
    .post('/v1/responses/input_tokens', async (c) => {
      const body = await readJson(c, context.bodyLimit)
      const model = 'default'
      const { request } = await prepare(context, typeof body === 'object' && body !== null ? { model, ...body } : body)
      const tokens = await context.platform.tokenize(request.model, request.prompt)
      return c.json({ object: 'response.input_tokens', input_tokens: tokens.length })
    })
    .get('/v1/responses/:id', async (c) => {
      const id = c.req.param('id')
      return isTrue(c.req.query('stream')) ? watchReply(c, context, id, startingAfter(c)) : c.json(await responses.get(id))
    })
    .delete('/v1/responses/:id', async (c) => {
      const id = c.req.param('id')
      await responses.delete(id)
      return c.json({ id, object: 'response', deleted: true })
    })
    .post('/v1/responses/:id/cancel', async (c) => c.json(await responses.cancel(c.req.param('id'))))
    .get('/v1/responses/:id/input_items', async (c) => {
      const { limit, order, after } = listQuery(c, { usual: 20, highest: 100 })
      const items = await responses.inputItems(c.req.param('id'))
      const ordered = order === 'asc' ? items : items.toReversed()
      const from = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1
      if (after !== undefined && from === 0) throw new AppError('invalid-field', { field: 'after', reason: 'there is no such item' })
      return c.json(wireList(ordered.slice(from, from + limit), ordered.length > from + limit))
    })
}

/** The header's wish where the body has none. Throws `invalid-field`. */
function withTruncation(c: Context, body: unknown): unknown {
  const truncation = truncationHeader(c.req.header('x-bendi-truncation'))
  if (truncation === undefined || typeof body !== 'object' || body === null || ('truncation' in body && body.truncation)) return body
  return { ...body, truncation }
}

/** Throws what is wrong with the request, `previous-response-not-found`, `store-unavailable`. */
async function prepare({ platform, now, newId }: RouteContext, body: unknown): Promise<PreparedCall> {
  const { responses } = platform.records
  const call = parseResponse(body, { id: `resp_${newId()}`, newId, createdAt: unixSeconds(now()) })
  const before = call.previousId === undefined ? [] : await responses.conversation(call.previousId)
  const input = await resolveReferences(call.input, before, responses.item.bind(responses))
  const seal = await sealFor(call, [...before, ...input], platform)
  const messages = conversationMessages([...before, ...input], { instructions: call.instructions, unseal: seal.unseal })
  const model = await platform.resolveName(call.request.model)
  const request = { ...withConversation(call, messages), model }
  return { call: { ...call, reply: { ...call.reply, model } }, input, request, seal }
}

async function resolveReferences(
  input: ResponseCall['input'],
  before: readonly ConversationItem[],
  find: (id: string) => Promise<ConversationItem | undefined>,
): Promise<ConversationItem[]> {
  const resolved: ConversationItem[] = []
  for (const item of input) {
    if (item.type !== 'item_reference') {
      resolved.push(item)
      continue
    }
    const found = before.find(({ id }) => id === item.id) ?? (await find(item.id))
    if (!found)
      throw new AppError('invalid-field', { field: `${item.field}.id`, reason: `there is no stored item with the id "${item.id}"` })
    resolved.push(found)
  }
  return resolved
}

const NO_SEAL: Seal = { seal: (text) => text, unseal: () => undefined }

/** The key lies in the store, which most requests need not open for this. */
async function sealFor(call: ResponseCall, items: readonly ConversationItem[], { records }: RouteContext['platform']): Promise<Seal> {
  const hasSealed = items.some((item) => item.type === 'reasoning' && item.encrypted_content !== undefined)
  return call.sealsThoughts || hasSealed ? records.seal() : NO_SEAL
}

function openSteps(
  { platform, now }: RouteContext,
  { call, input, request, seal }: PreparedCall,
): {
  assembler: ResponseAssembler
  open: (signal: AbortSignal) => AsyncGenerator<ResponseStep>
} {
  const assembler = new ResponseAssembler({
    reply: call.reply,
    names: call.names,
    now: () => unixSeconds(now()),
    ...(call.sealsThoughts ? { seal: seal.seal } : {}),
  })
  const keep = (response: ModelResponse): Promise<boolean> => platform.records.responses.keep(response, input)
  return { assembler, open: (signal) => responseSteps(platform.generate(request, signal), assembler, keep) }
}

async function jsonReply(c: Context, context: RouteContext, prepared: PreparedCall): Promise<Response> {
  const { open } = openSteps(context, prepared)
  for await (const step of open(c.req.raw.signal)) {
    if (step.type === 'notice') tellTruncated(c, step.notice)
    if (step.type !== 'event' || !isLastStep(step)) continue
    if (step.cause) throw fromWireError(step.cause)
    if ('response' in step.event) return c.json(step.event.response)
  }
  throw new AppError('internal', { reason: 'the answer ended without a finish' })
}

async function streamReply(c: Context, context: RouteContext, prepared: PreparedCall): Promise<Response> {
  const { open } = openSteps(context, prepared)
  const encoder = createStepEncoder(prepared.call.obfuscate ? { noise: randomText } : {})
  const body = await openEventStream<ResponseStep>(
    {
      open,
      merge: (pending, step) => {
        if (step.type === 'notice') tellTruncated(c, step.notice)
        mergeStep(pending, step)
      },
      isWaiting: isPrelude,
      errorOf: (step) => (step.type === 'event' ? step.cause : undefined),
      isLast: isLastStep,
      encode: encoder.encode,
      encodeError: encoder.error,
      encodeEnd: () => '',
    },
    streamOptions(c, context),
  )
  return c.body(body, 200, streamHeaders(c))
}

function streamOptions(c: Context, { timing, logger }: RouteContext): Parameters<typeof openEventStream>[1] {
  const onFailure = (error: unknown): void => logger.error('a stream broke', { path: c.req.path, error })
  return { timing, clientGone: c.req.raw.signal, onFailure }
}

/** Runs on when the client leaves; the reply is the queued response, or the stream of what happens. */
async function backgroundReply(c: Context, context: RouteContext, prepared: PreparedCall): Promise<Response> {
  const { responses } = context.platform.records
  const { call, input } = prepared
  const { reply } = call
  // An unknown model is told at once, not by a response that has failed.
  await assertModel(context, prepared.request.model)
  await responses.start({ response: reply, input, keepEvents: call.stream, open: (signal) => backgroundEvents(context, prepared, signal) })
  return call.stream ? watchReply(c, context, reply.id, -1) : c.json(reply)
}

async function assertModel({ platform }: RouteContext, name: string): Promise<void> {
  const names = await platform.modelNames()
  if (name !== 'default' && !names.includes(name)) await platform.models.show(name)
}

/** In the queue until something happens other than waiting; its end is stored by whoever runs it. */
async function* backgroundEvents(context: RouteContext, prepared: PreparedCall, signal: AbortSignal): AsyncGenerator<UnnumberedEvent> {
  const { platform, now } = context
  const { call, request, seal } = prepared
  const assembler = new ResponseAssembler({
    reply: call.reply,
    names: call.names,
    now: () => unixSeconds(now()),
    ...(call.sealsThoughts ? { seal: seal.seal } : {}),
  })
  let isStarted = false
  const keep = async (): Promise<boolean> => true
  const source = platform.generate(request, signal)
  const steps = responseSteps(source, assembler, keep)
  for await (const step of steps) {
    const isQueued = isPrelude(step) && !(step.type === 'waiting' && step.event.type === 'prefill')
    if (!isStarted && !isQueued) {
      isStarted = true
      yield* assembler.start()
    }
    if (step.type === 'event') yield step.event
  }
}

function watchReply(c: Context, context: RouteContext, id: string, after: number): Promise<Response> {
  refuseHead(c)
  const { responses } = context.platform.records
  return openEventStream<UnnumberedEvent & { sequence_number: number }>(
    {
      open: (signal) => responses.watch(id, after, signal),
      merge: (pending, event) => void pending.push(event),
      isWaiting: () => false,
      errorOf: () => undefined,
      isLast: (event) => isLastStep({ type: 'event', event }),
      encode: frame,
      encodeError: ({ code, message }) => frame({ type: 'error', code, message, param: null, sequence_number: 0 }),
      encodeEnd: () => '',
    },
    streamOptions(c, context),
  ).then((body) => c.body(body, 200, streamHeaders(c)))
}

function startingAfter(c: Context): number {
  const text = c.req.query('starting_after')
  if (text === undefined) return -1
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new AppError('invalid-field', { field: 'starting_after', reason: 'expected the sequence_number of an event' })
}

function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1'
}

function randomText(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length)
}
