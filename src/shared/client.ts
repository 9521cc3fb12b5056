/** A typed client of a bendi server, made from the routes table. For the page, the command line and tests. */
import type { z } from 'zod'
import { AppError, fromWireError } from './errors.ts'
import type { Language } from './language.ts'
import {
  ChatChunkSchema,
  ChatCompletionSchema,
  OpenAiModelListSchema,
  parseWaiting,
  type ChatChunk,
  type ChatCompletion,
  type ChatRequestInput,
  type OpenAiModelList,
  type Waiting,
} from './openai.ts'
import { routes, type Route, type RouteName } from './routes.ts'

type Table = typeof routes
type ParamNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamNames<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never
type Params<Name extends RouteName> = [ParamNames<Table[Name]['path']>] extends [never]
  ? { params?: undefined }
  : { params: Record<ParamNames<Table[Name]['path']>, string> }
type Body<Name extends RouteName> = Table[Name] extends { body: infer Schema extends z.ZodType }
  ? { body: z.input<Schema> }
  : { body?: undefined }
type Input<Name extends RouteName> = Params<Name> & Body<Name> & { signal?: AbortSignal }
/** The input may be left out when nothing in it is required. */
type Arguments<Name extends RouteName> = Record<never, never> extends Input<Name> ? [input?: Input<Name>] : [input: Input<Name>]
type Response<Name extends RouteName> = Table[Name] extends { response: infer Schema extends z.ZodType } ? z.output<Schema> : never
type Event<Name extends RouteName> = Table[Name] extends { events: infer Schema extends z.ZodType } ? z.output<Schema> : never

type EventRouteName = { [Name in RouteName]: Table[Name] extends { events: z.ZodType } ? Name : never }[RouteName]
type CallRouteName = Exclude<RouteName, EventRouteName>

/** What a streamed chat yields: chunks of the answer, and before them why it has not begun. */
export type ChatItem = { type: 'chunk'; chunk: ChatChunk } | { type: 'waiting'; waiting: Waiting }

export interface Client {
  /** One call of bendi's own API. Throws the server's AppError, or `server-unreachable`. */
  call<Name extends CallRouteName>(name: Name, ...input: Arguments<Name>): Promise<Response<Name>>
  /** An event stream of bendi's own API; ends with the stream, or by leaving the loop. */
  events<Name extends EventRouteName>(name: Name, ...input: Arguments<Name>): AsyncIterable<Event<Name>>
  /** `POST /v1/chat/completions` as a stream. Usage and timings come in the last chunk. */
  streamChat(request: ChatRequestInput, signal?: AbortSignal): AsyncIterable<ChatItem>
  chat(request: ChatRequestInput, signal?: AbortSignal): Promise<ChatCompletion>
  /** The names that requests may use. */
  modelNames(signal?: AbortSignal): Promise<OpenAiModelList>
}

export interface ClientOptions {
  /** e.g. `http://127.0.0.1:8400`; empty in the page (same origin). */
  baseUrl?: string
  fetch?: typeof globalThis.fetch
  /** The language of messages that the server writes. */
  language?: () => Language
  headers?: Record<string, string>
}

export function createClient(options: ClientOptions = {}): Client {
  const send = createSender(options)
  const call = async (name: RouteName, input: LooseInput): Promise<unknown> => {
    const route: Route = routes[name]
    const response = await send(route.method, fillPath(route.path, input.params), input)
    return route.response?.parse(await response.json())
  }
  const events = async function* (name: RouteName, input: LooseInput): AsyncGenerator<unknown> {
    const route: Route = routes[name]
    const response = await send(route.method, fillPath(route.path, input.params), input)
    for await (const message of readEventStream(response))
      if (message.data !== undefined) yield route.events?.parse(parseData(message.data))
  }
  const streamChat = async function* (request: ChatRequestInput, signal?: AbortSignal): AsyncGenerator<ChatItem> {
    const body = { ...request, stream: true, stream_options: { include_usage: true } }
    const response = await send('POST', '/v1/chat/completions', { body, signal })
    for await (const { data, comment } of readEventStream(response)) {
      if (data === '[DONE]') return
      const waiting = comment === undefined ? undefined : parseWaiting(comment)
      if (waiting) yield { type: 'waiting', waiting }
      if (data !== undefined) yield { type: 'chunk', chunk: ChatChunkSchema.parse(parseData(data)) }
    }
    throw new AppError('connection-lost')
  }
  return {
    call: (async (name, input) => call(name, input ?? {})) as Client['call'],
    events: ((name, input) => events(name, input ?? {})) as Client['events'],
    streamChat,
    chat: async (request, signal) => {
      const response = await send('POST', '/v1/chat/completions', { body: { ...request, stream: false }, signal })
      return ChatCompletionSchema.parse(await response.json())
    },
    modelNames: async (signal) => OpenAiModelListSchema.parse(await (await send('GET', '/v1/models', { signal })).json()),
  }
}

interface LooseInput {
  params?: Readonly<Record<string, string>> | undefined
  body?: unknown
  signal?: AbortSignal | undefined
}

type Sender = (method: string, path: string, input: LooseInput) => Promise<globalThis.Response>

/** Throws the server's error for a status that is not 2xx. */
function createSender({ baseUrl = '', fetch = globalThis.fetch, language, headers = {} }: ClientOptions): Sender {
  return async (method, path, { body, signal }) => {
    const all: Record<string, string> = { ...headers }
    if (language) all['accept-language'] = language()
    if (body !== undefined) all['content-type'] = 'application/json'
    const init = { method, headers: all, signal: signal ?? null, body: body === undefined ? null : JSON.stringify(body) }
    const response = await fetch(baseUrl + path, init).catch((error: unknown) => {
      if (signal?.aborted) throw error
      throw new AppError('server-unreachable', { address: baseUrl || 'bendi' }, { cause: error })
    })
    if (!response.ok) throw readError(await response.json().catch(() => undefined), response.status)
    return response
  }
}

function fillPath(path: string, params: LooseInput['params']): string {
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''))
}

/** Data of an event; an error event (the stream broke after it had begun) is thrown. */
function parseData(data: string): unknown {
  const value: unknown = JSON.parse(data)
  if (isObject(value) && 'error' in value) throw readError(value, 500)
  return value
}

/** Both envelopes: our own `{ error: { code, data, message } }`, and OpenAI's with our extension. */
function readError(body: unknown, status: number): AppError {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {}
  const ours = isObject(error['bendi']) ? error['bendi'] : error
  const message = typeof error['message'] === 'string' ? error['message'] : `HTTP ${status}`
  if (typeof ours['code'] !== 'string' || !isErrorData(ours['data'])) return new AppError('internal', { reason: message })
  return fromWireError({ code: ours['code'], data: ours['data'], message })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isErrorData(value: unknown): value is Record<string, string | number> {
  return isObject(value) && Object.values(value).every((item) => typeof item === 'string' || typeof item === 'number')
}

/** One event (`data`, with its name) or one comment of an event stream. */
export interface StreamMessage {
  event?: string
  data?: string
  comment?: string
}

/** Reads Server-Sent Events (WHATWG HTML, section 9.2) plus their comments; cancels the body when the loop is left. */
export async function* readEventStream(response: globalThis.Response): AsyncGenerator<StreamMessage> {
  if (!response.body) return
  const reader = response.body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>).getReader()
  const parser = createEventStreamParser()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(lostConnection)
      if (done) return
      yield* parser.push(value)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** An abort stays what it is. */
function lostConnection(error: unknown): never {
  throw error instanceof Error && error.name === 'AbortError' ? error : new AppError('connection-lost', {}, { cause: error })
}

/** Incremental: any split of the text gives the same messages. Line ends are LF, CR LF or CR. */
export function createEventStreamParser(): { push(text: string): StreamMessage[] } {
  let rest = ''
  let event: string | undefined
  let data: string[] = []
  const takeLine = (line: string): StreamMessage | undefined => {
    if (line === '') {
      const message = data.length > 0 ? { ...(event === undefined ? {} : { event }), data: data.join('\n') } : undefined
      event = undefined
      data = []
      return message
    }
    if (line.startsWith(':')) return { comment: line.slice(1).trim() }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    if (field === 'event') event = value
    return undefined
  }
  return {
    push(text) {
      const messages: StreamMessage[] = []
      rest += text
      // A CR at the very end may be half of CR LF: it waits for the next piece.
      for (let match = nextLine(rest); match; match = nextLine(rest)) {
        rest = rest.slice(match.end)
        const message = takeLine(match.line)
        if (message) messages.push(message)
      }
      return messages
    },
  }
}

function nextLine(text: string): { line: string; end: number } | undefined {
  const index = text.search(/[\r\n]/)
  if (index < 0 || (text[index] === '\r' && index === text.length - 1)) return undefined
  const end = text.startsWith('\r\n', index) ? index + 2 : index + 1
  return { line: text.slice(0, index), end }
}
