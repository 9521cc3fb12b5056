/** Ollama's library: list, show, pull, create, copy, delete. */
import { Hono, type Context } from 'hono'
import type { Platform } from '../../platform/platform.ts'
import type { Model, Pull } from '../../shared/api.ts'
import { AppError, fromWireError } from '../../shared/errors.ts'
import type { WireError } from '../../shared/generate.ts'
import type { OllamaProgress } from '../../shared/ollama/replies.ts'
import {
  OllamaCopyRequestSchema,
  OllamaDeleteRequestSchema,
  OllamaPullRequestSchema,
  OllamaPushRequestSchema,
  OllamaShowRequestSchema,
} from '../../shared/ollama/requests.ts'
import { ollamaRunning, ollamaShow, ollamaTag, plainReference, withoutLatest } from '../dialects/ollama-models.ts'
import { createPullLines, modelField, parseOllamaCreate, pullFailure, sha256Of, type OllamaCreation } from '../dialects/ollama-progress.ts'
import { ignoredFields, parseBody } from '../dialects/request-fields.ts'
import { errorBody } from '../error-reply.ts'
import { openEventStream, streamHeaders } from '../event-stream.ts'
import { readAnyJson } from '../json-body.ts'
import { tellIgnored, type RouteContext } from '../route-context.ts'
import { ollamaName, stopIdle } from './ollama-names.ts'

/** Whose interface this is; clients refuse to talk to versions that are too old for them. */
const OLLAMA_VERSION = '0.12.6'

/** `/api/tags`, `ps`, `show`, `version`, `pull`, `push`, `create`, `blobs`, `copy`, `delete` */
export function ollamaModelRoutes(context: RouteContext): Hono {
  const { platform, bodyLimit } = context
  const nameIn = (c: Context): string => sha256Of(c.req.param('digest') ?? '', 'digest')
  return new Hono()
    .get('/api/version', (c) => c.json({ version: OLLAMA_VERSION }))
    .get('/api/tags', async (c) => c.json({ models: (await allModels(platform)).map(ollamaTag) }))
    .get('/api/ps', async (c) => c.json({ models: await running(context) }))
    .post('/api/show', async (c) => {
      const call = parseBody(OllamaShowRequestSchema, await readAnyJson(c, bodyLimit))
      tellIgnored(c, ignoredFields(call, OllamaShowRequestSchema.shape))
      const model = await platform.models.show(await ollamaName(platform, modelField(call)))
      return c.json(ollamaShow(model, await platform.care.report(model.name), call.verbose ?? false))
    })
    .post('/api/pull', (c) => pull(c, context))
    .post('/api/push', async (c) => {
      modelField(parseBody(OllamaPushRequestSchema, await readAnyJson(c, bodyLimit)))
      throw new AppError('unsupported-field', {
        field: 'push',
        reason: 'nothing is published from here; copy the files out with: bendi export',
      })
    })
    .post('/api/create', (c) => create(c, context))
    .get('/api/blobs/:digest', async (c) => {
      const sha256 = nameIn(c)
      if (!(await platform.care.hasUpload(sha256))) throw new AppError('file-not-found', { path: `sha256:${sha256}` })
      return c.body(null, 200)
    })
    .post('/api/blobs/:digest', (c) => upload(c, platform, nameIn(c)))
    .post('/api/copy', async (c) => {
      const call = parseBody(OllamaCopyRequestSchema, await readAnyJson(c, bodyLimit))
      tellIgnored(c, ignoredFields(call, OllamaCopyRequestSchema.shape))
      await copy(platform, await ollamaName(platform, call.source), call.destination)
      return c.body(null, 200)
    })
    .delete('/api/delete', async (c) => {
      const call = parseBody(OllamaDeleteRequestSchema, await readAnyJson(c, bodyLimit))
      const { name } = await platform.models.show(await ollamaName(platform, modelField(call)))
      await stopIdle(platform, name)
      await platform.models.remove(name)
      return c.body(null, 200)
    })
}

/** Those of the library, and files that are used in place, which are in none. */
async function allModels(platform: Platform): Promise<Model[]> {
  const [library, names] = await Promise.all([platform.models.list(), platform.modelNames()])
  const known = new Set(library.map(({ name }) => name))
  const others = await Promise.allSettled(names.filter((name) => !known.has(name)).map((name) => platform.models.show(name)))
  // A model that is still on its way has a name already.
  return [...library, ...others.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))]
}

async function running({ platform, now }: RouteContext): Promise<ReturnType<typeof ollamaRunning>[]> {
  const deployments = (await platform.deployments.list()).filter(({ state }) => state === 'ready' || state === 'draining')
  return Promise.all(deployments.map(async (one) => ollamaRunning(one, await platform.models.show(one.model), now())))
}

async function upload(c: Context, platform: Platform, sha256: string): Promise<Response> {
  if (await platform.care.hasUpload(sha256)) return c.body(null, 200)
  const length = Number(c.req.header('content-length'))
  const bytes = Number.isSafeInteger(length) ? { bytes: length } : {}
  const chunks: AsyncIterable<Uint8Array> = c.req.raw.body ?? new Blob([]).stream()
  await platform.care.upload(sha256, { chunks, signal: c.req.raw.signal, ...bytes })
  return c.body(null, 201)
}

/** Throws `model-not-found`, `model-in-use`, `invalid-reference`. */
async function copy(platform: Platform, source: string, destination: string, options: { license?: string } = {}): Promise<Model> {
  const { name } = await platform.models.show(source)
  const target = withoutLatest(destination.trim())
  if (target !== name) await stopIdle(platform, target)
  return platform.care.copy(name, target, options)
}

async function create(c: Context, context: RouteContext): Promise<Response> {
  const creation = parseOllamaCreate(await readAnyJson(c, context.bodyLimit))
  tellIgnored(c, creation.ignored)
  const steps = creating(context.platform, creation)
  return reply<OllamaProgress>(c, context, creation.stream, {
    open: () => steps,
    lines: (line) => [line],
    errorOf: () => undefined,
    isLast: ({ status }) => status === 'success',
  })
}

async function* creating(platform: Platform, { name, source, license }: OllamaCreation): AsyncGenerator<OllamaProgress> {
  const target = withoutLatest(name.trim())
  const options = license === undefined ? {} : { license }
  yield { status: 'parsing GGUF' }
  if ('from' in source) await copy(platform, await ollamaName(platform, source.from), target, options)
  else {
    await stopIdle(platform, target)
    await platform.care.createFrom(source.files, target, options)
  }
  yield { status: 'writing manifest' }
  yield { status: 'success' }
}

/** A pull of several is one; only the client that began it takes it along when it leaves. */
async function pull(c: Context, context: RouteContext): Promise<Response> {
  const { platform, bodyLimit } = context
  const call = parseBody(OllamaPullRequestSchema, await readAnyJson(c, bodyLimit))
  tellIgnored(c, ignoredFields(call, OllamaPullRequestSchema.shape))
  const before = new Set(platform.pulls.list().map(({ id }) => id))
  const { id } = platform.pulls.start(withoutLatest(plainReference(modelField(call))))
  const leave = (): void => {
    if (!before.has(id)) platform.pulls.cancel(id)
  }
  return reply<Pull>(c, context, call.stream ?? true, {
    open: (signal) => platform.pulls.watch(id, signal),
    lines: createPullLines(),
    errorOf: pullFailure,
    isLast: ({ state }) => state === 'done',
    onLeave: leave,
  })
}

interface Progress<Event> {
  open(signal: AbortSignal): AsyncIterable<Event>
  lines(event: Event): OllamaProgress[]
  errorOf(event: Event): WireError | undefined
  isLast(event: Event): boolean
  /** The client has gone before the end. */
  onLeave?(): void
}

/** Lines of JSON, or the last of them. */
async function reply<Event extends object>(
  c: Context,
  context: RouteContext,
  stream: boolean,
  progress: Progress<Event>,
): Promise<Response> {
  const { signal } = c.req.raw
  if (progress.onLeave) signal.addEventListener('abort', progress.onLeave, { once: true })
  if (!stream) return c.json(await lastOf(progress, signal))
  const body = await openEventStream<Event>(
    {
      open: progress.open,
      framing: 'ndjson',
      merge: (pending, event) => void pending.push(event),
      isWaiting: () => false,
      errorOf: progress.errorOf,
      isLast: progress.isLast,
      encode: (event) => {
        const error = progress.errorOf(event)
        return (error ? [errorBody(c, error)] : progress.lines(event)).map(toLine).join('')
      },
      encodeError: (error) => toLine(errorBody(c, error)),
      encodeEnd: () => '',
    },
    {
      timing: context.timing,
      clientGone: signal,
      onFailure: (error) => context.logger.warn('a stream broke', { path: c.req.path, error }),
    },
  )
  return c.body(body, 200, streamHeaders(c, 'ndjson'))
}

async function lastOf<Event extends object>(
  { open, lines, errorOf, isLast }: Progress<Event>,
  signal: AbortSignal,
): Promise<OllamaProgress> {
  for await (const event of open(signal)) {
    const error = errorOf(event)
    if (error) throw fromWireError(error)
    const last = isLast(event) ? lines(event).at(-1) : undefined
    if (last) return last
  }
  throw new AppError('cancelled')
}

function toLine(value: object): string {
  return `${JSON.stringify(value)}\n`
}
