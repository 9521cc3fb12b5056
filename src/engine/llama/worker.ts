/** The process that holds one model: IPC commands in, reports out. A native abort ends this process and nothing else. */
import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { createLogger, formatLogEntry } from '../../base/logger.ts'
import { AppError, toWireError } from '../../shared/errors.ts'
import { loadBinding } from './binding.ts'
import { CommandSchema } from './messages.ts'
import type { Command, LoadedModel, Report, WorkerOptions } from './messages.ts'
import { loadModel } from './model.ts'
import type { LlamaModel } from './model.ts'
import { findNativePackage, NATIVE_VERSION } from './native-package.ts'
import { Session } from './session.ts'

/** Bytes hashed at the beginning and in the middle of a model file: enough to tell two files of one size apart. */
const IDENTITY_SAMPLE = 1 << 20

const logger = createLogger({ level: 'info', sink: (entry) => process.stderr.write(`${formatLogEntry(entry)}\n`) })
let session: Session | undefined
/** Questions that take long, by their number. */
const long = new Map<number, AbortController>()

process.on('message', (message) => void receive(message))
// The parent is gone: nobody can use this process any more.
process.on('disconnect', () => process.exit(0))
// The parent decides when this process ends; a Ctrl-C in the terminal reaches both.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

async function receive(message: unknown): Promise<void> {
  try {
    await obey(parse(message))
  } catch (error) {
    refuse(message, error)
  }
}

/** Throws `invalid-field`: a caller within this machine may send what no route would let through. */
function parse(message: unknown): Command {
  const result = CommandSchema.safeParse(message)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new AppError('invalid-field', { field: issue?.path.join('.') ?? '', reason: issue?.message ?? 'unknown' })
}

/** Told to whoever asked: as the end of its generation, or as the answer to its question. */
function refuse(message: unknown, error: unknown): void {
  const { id, type } = idOf(message)
  if (id === undefined) return fail(error)
  if (type === 'generate') send({ type: 'events', events: [[id, { type: 'error', error: toWireError(error) }]] })
  else send({ type: 'refusal', id, error: toWireError(error) })
}

function idOf(message: unknown): { id?: number; type?: string } {
  const { id, type } = message as { id?: unknown; type?: unknown }
  return { ...(typeof id === 'number' && { id }), ...(typeof type === 'string' && { type }) }
}

async function obey(command: Command): Promise<void> {
  if (command.type === 'load') return load(command.options)
  const opened = session
  if (!opened) throw new AppError('internal', { reason: `"${command.type}" came before the model was loaded` })
  switch (command.type) {
    case 'generate':
      return opened.generate(command)
    case 'cancel':
      return opened.cancel(command.id)
    case 'end-choice':
      return opened.endChoice(command.id, command.choice)
    case 'abandon':
      return long.get(command.id)?.abort(new AppError('cancelled'))
    case 'embed':
      return replyLater(command.id, (signal) => opened.embed(command.inputs, signal))
    case 'rerank':
      return replyLater(command.id, (signal) => opened.rerank(command.query, command.documents, signal))
    case 'close-thought':
      return reply(command.id, opened.closeThought(command.generation))
    case 'tokenize':
      return reply(command.id, await opened.tokenize(command.prompt))
    case 'detokenize':
      return reply(command.id, opened.detokenize(command.tokens))
    case 'stats':
      return reply(command.id, opened.stats())
    case 'stop':
      return stop(opened)
  }
}

async function load(options: WorkerOptions): Promise<void> {
  const start = performance.now()
  const binding = loadBinding({ package: findNativePackage(), kernel: options.kernel })
  const model = await loadModel(binding, { file: options.file, gpuLayers: options.gpuLayers })
  const identity = await modelIdentity(options)
  session = await Session.open({ model, options, identity, send, onFatal: fail, logger })
  send({ type: 'ready', model: describe(model, session, options, performance.now() - start) })
}

function describe(model: LlamaModel, opened: Session, options: WorkerOptions, loadMs: number): LoadedModel {
  const { shape } = model
  return {
    kernel: model.usesGpu ? 'gpu' : options.kernel,
    architecture: shape.architecture,
    context: opened.shape.window,
    largestContext: opened.largestContext,
    trainedContext: shape.trainedContext,
    parallel: opened.shape.parallel,
    kvLayout: opened.shape.layout,
    vocabularySize: shape.vocabularySize,
    bosToken: shape.beginToken === undefined ? '' : model.tokenText(shape.beginToken),
    eosToken: shape.endToken === undefined ? '' : model.tokenText(shape.endToken),
    addsBos: shape.addsBegin,
    chatTemplate: shape.chatTemplate,
    canEmbed: shape.vocabularySize > 0,
    loadMs,
  }
}

/** Names what a saved KV state belongs to: the model file's content (sampled), the KV type and libllama's version. */
async function modelIdentity(options: WorkerOptions): Promise<string> {
  const { size, mtimeMs } = await stat(options.file)
  const hash = createHash('sha256').update(`${NATIVE_VERSION} ${options.kvType} ${options.kernel ?? ''} ${size} ${mtimeMs}`)
  const file = await open(options.file)
  try {
    for (const position of [0, Math.floor(size / 2)]) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(IDENTITY_SAMPLE), 0, IDENTITY_SAMPLE, position)
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

async function stop(opened: Session): Promise<void> {
  await opened.persist()
  await opened.close()
  process.disconnect()
}

async function replyLater(id: number, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const controller = new AbortController()
  long.set(id, controller)
  try {
    reply(id, await work(controller.signal))
  } finally {
    long.delete(id)
  }
}

function reply(id: number, value: unknown): void {
  send({ type: 'reply', id, value })
}

function send(report: Report): void {
  if (process.connected) process.send?.(report)
}

/** The context cannot be used any more: a fresh process can. Ends only when the parent has been told. */
function fail(error: unknown): void {
  logger.error('the worker ends', { error })
  const code = session ? 1 : 0
  if (session || !process.connected) process.exit(code)
  process.send?.({ type: 'failed', error: toWireError(error) } satisfies Report, () => process.exit(code))
}
