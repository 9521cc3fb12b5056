/** Ollama's answers: chat, generate, and vectors. */
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import type { Platform } from '../../platform/platform.ts'
import { AppError } from '../../shared/errors.ts'
import type { EmbedResult, GenerateEvent, GenerateRequest } from '../../shared/generate.ts'
import { OllamaEmbeddingsRequestSchema, OllamaEmbedRequestSchema, type OllamaEmbedRequest } from '../../shared/ollama/requests.ts'
import type { OllamaEmbedReply } from '../../shared/ollama/replies.ts'
import { parseOllamaChat, type OllamaCall } from '../dialects/ollama-chat.ts'
import { parseOllamaGenerate, type OllamaGenerateCall } from '../dialects/ollama-generate.ts'
import { ignoredEmbedOptions, ollamaKeepAlive } from '../dialects/ollama-options.ts'
import { nanoseconds, ollamaChatReply, ollamaGenerateReply, ollamaLoadReply, type OllamaHead } from '../dialects/ollama-reply.ts'
import { createOllamaEncoder } from '../dialects/ollama-stream.ts'
import { embeddingReply, isMatryoshka } from '../dialects/openai-embeddings.ts'
import { compact, ignoredFields, parseBody } from '../dialects/request-fields.ts'
import { languageOf } from '../error-reply.ts'
import { jsonReply, streamReply } from '../generation-reply.ts'
import { readAnyJson } from '../json-body.ts'
import { tellIgnored, type RouteContext } from '../route-context.ts'
import { createCapabilities, type Capabilities } from './ollama-capabilities.ts'
import { createMeter, measured, type Meter } from './ollama-meter.ts'
import { ollamaName, stopIdle } from './ollama-names.ts'

interface OllamaContext extends RouteContext {
  capabilities: Capabilities
}

/** `POST /api/chat`, `/api/generate`, `/api/embed`, `/api/embeddings` */
export function ollamaRoutes(routeContext: RouteContext): Hono {
  const context: OllamaContext = { ...routeContext, capabilities: createCapabilities(routeContext.platform) }
  const { bodyLimit, newId } = context
  return new Hono()
    .post('/api/chat', async (c) => {
      const call = parseOllamaChat(await readAnyJson(c, bodyLimit), `chat-${newId()}`)
      return answer(c, context, { ...call, tellsContext: false }, 'chat')
    })
    .post('/api/generate', async (c) =>
      answer(c, context, parseOllamaGenerate(await readAnyJson(c, bodyLimit), `gen-${newId()}`), 'generate'),
    )
    .post('/api/embed', async (c) => c.json(await embed(c, context)))
    .post('/api/embeddings', async (c) => {
      const call = parseBody(OllamaEmbeddingsRequestSchema, await readAnyJson(c, bodyLimit))
      tellIgnored(c, [...ignoredFields(call, OllamaEmbeddingsRequestSchema.shape), ...ignoredEmbedOptions(call)])
      const model = await ollamaName(context.platform, call.model)
      const inputs = call.prompt ? [call.prompt] : []
      const result = await vectorsOf(c, context, { model, inputs, normalize: false, keepAlive: call.keep_alive, truncate: true })
      return c.json({ embedding: Array.from(result?.vectors[0] ?? []) })
    })
}

/** Ollama's clients look there whether a server runs; people get the page. */
export const headOfRoot: MiddlewareHandler = async (c, next) => (c.req.method === 'HEAD' ? c.body(null, 200) : next())

async function answer(c: Context, context: OllamaContext, call: OllamaGenerateCall, shape: 'chat' | 'generate'): Promise<Response> {
  const { platform, now } = context
  tellIgnored(c, call.ignored)
  const meter = createMeter(now)
  const head: OllamaHead = { model: call.model, showsThoughts: call.showsThoughts, now, ...meter }
  const model = await ollamaName(platform, call.model)
  if (call.wantsThoughts) await checkThoughts(context.capabilities, model)
  if (!call.request) return c.json(ollamaLoadReply(head, await loadOrUnload(c, platform, model, call), shape))
  const request = { ...call.request, model }
  const open = (signal: AbortSignal): AsyncIterable<GenerateEvent> => events(platform, request, call, meter, signal)
  if (call.stream) return streamReply(c, context, open, createOllamaEncoder(head, shape, languageOf(c.req.header('accept-language'))))
  return shape === 'chat'
    ? jsonReply(c, open, 1, (all) => ollamaChatReply(all, head))
    : jsonReply(c, open, 1, (all) => ollamaGenerateReply(all, head))
}

/** Throws `unsupported-field`, as Ollama does. A file that says nothing about its format is given the benefit of the doubt. */
async function checkThoughts(capabilities: Capabilities, model: string): Promise<void> {
  const known = await capabilities(model)
  if (known === undefined || known.includes('thinking')) return
  throw new AppError('unsupported-field', { field: 'think', reason: `"${model}" does not support thinking` })
}

async function loadOrUnload(c: Context, platform: Platform, model: string, { keepAlive }: OllamaCall): Promise<'load' | 'unload'> {
  if (keepAlive !== 0) {
    await platform.deployments.start({ model, ...compact({ keepAlive }) }, c.req.raw.signal)
    return 'load'
  }
  const { name } = await platform.models.show(model)
  // Who is still being answered is not cut off: then it ends with the last answer.
  if (!(await stopIdle(platform, name))) await platform.deployments.start({ model: name, keepAlive: 0 }, c.req.raw.signal)
  return 'unload'
}

async function* events(
  platform: Platform,
  request: GenerateRequest,
  { context, tellsContext }: Pick<OllamaGenerateCall, 'context' | 'tellsContext'>,
  meter: Meter,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent> {
  const tokens = (text: string): Promise<number[]> => tokensOf(platform, request.model, text)
  const prompt: GenerateRequest['prompt'] = context
    ? { type: 'tokens', tokens: [...context, ...(await tokens(await platform.render(request.model, request.prompt)))] }
    : request.prompt
  let text = ''
  for await (const event of measured(platform.generate({ ...request, prompt }, signal), meter)) {
    if (event.type === 'text-delta') text += event.text
    if (event.type === 'finish' && tellsContext) {
      const before = prompt.type === 'tokens' ? prompt.tokens : await platform.tokenize(request.model, prompt)
      meter.keepContext([...before, ...(await tokens(text))])
    }
    yield event
  }
}

/** Of a text that goes on: without the token that begins every text. */
async function tokensOf(platform: Platform, model: string, text: string): Promise<number[]> {
  const [begin] = await platform.tokenize(model, { type: 'text', text: '' })
  const tokens = await platform.tokenize(model, { type: 'text', text })
  return begin !== undefined && tokens[0] === begin ? tokens.slice(1) : tokens
}

async function embed(c: Context, context: RouteContext): Promise<OllamaEmbedReply> {
  const { platform, bodyLimit, now } = context
  const startedAt = now()
  const call = parseBody(OllamaEmbedRequestSchema, await readAnyJson(c, bodyLimit))
  tellIgnored(c, [...ignoredFields(call, OllamaEmbedRequestSchema.shape), ...ignoredEmbedOptions(call)])
  const model = await ollamaName(platform, call.model)
  const [inputs, truncate] = [inputsOf(call.input), call.truncate !== false]
  const result = await vectorsOf(c, context, { model, inputs, normalize: true, keepAlive: call.keep_alive, truncate })
  return {
    model: call.model,
    embeddings: result ? await embeddingsOf(platform, result, call, model) : [],
    total_duration: nanoseconds(now() - startedAt),
    load_duration: 0,
    prompt_eval_count: result?.promptTokens ?? 0,
  }
}

function inputsOf(input: OllamaEmbedRequest['input']): string[] {
  if (typeof input === 'string') return input === '' ? [] : [input]
  return input ?? []
}

async function embeddingsOf(platform: Platform, result: EmbedResult, call: OllamaEmbedRequest, model: string): Promise<number[][]> {
  const shorter = compact({ dimensions: call.dimensions || undefined })
  const found = (await platform.models.list()).find(({ name }) => name === model)
  const names = found ? [model, found.title, found.reference, found.source] : [model]
  const request = { id: '', model, inputs: [], normalize: true }
  const list = embeddingReply(
    result,
    { request, encoding: 'float', ignored: [], ...shorter },
    { name: model, matryoshka: isMatryoshka(names) },
  )
  return list.data.map(({ embedding }) => (typeof embedding === 'string' ? [] : embedding))
}

interface VectorCall {
  model: string
  inputs: string[]
  normalize: boolean
  keepAlive: string | number | null | undefined
  truncate: boolean
}

/** Undefined when there is nothing to compute: then the model is only loaded. */
async function vectorsOf(c: Context, { platform, newId }: RouteContext, call: VectorCall): Promise<EmbedResult | undefined> {
  const { model, inputs, normalize } = call
  const { signal } = c.req.raw
  const keepAlive = ollamaKeepAlive(call.keepAlive)
  const request = { id: `embd-${newId()}`, model, inputs, normalize }
  const result =
    inputs.length === 0
      ? undefined
      : await platform.embed(request, signal).catch(async (error: unknown) => {
          if (!call.truncate || !(error instanceof AppError) || error.code !== 'prompt-too-long') throw error
          return platform.embed({ ...request, inputs: await cutInputs(platform, call, Number(error.data['window'])) }, signal)
        })
  // Only a start says how long a model stays.
  if (keepAlive !== undefined || result === undefined) await platform.deployments.start({ model, ...compact({ keepAlive }) }, signal)
  return result
}

/** Each input to the window's length. */
async function cutInputs(platform: Platform, { model, inputs }: VectorCall, window: number): Promise<number[][]> {
  if (!Number.isInteger(window) || window < 1) throw new AppError('internal', { reason: 'the window of the model is not known' })
  return Promise.all(inputs.map(async (text) => (await platform.tokenize(model, { type: 'text', text })).slice(0, window)))
}
