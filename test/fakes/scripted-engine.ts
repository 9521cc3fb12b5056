/** An engine that says what a script tells it, for tests of everything above the engine. */
import { AppError, toWireError } from '../../src/shared/errors.ts'
import type {
  EmbedRequest,
  EmbedResult,
  FinishReason,
  GenerateEvent,
  GenerateRequest,
  Notice,
  Prompt,
  RerankRequest,
  RerankResult,
  Timings,
  TokenLogprob,
  Usage,
} from '../../src/shared/generate.ts'
import type { Engine, EngineInfo, EngineState, EngineStats } from '../../src/engine/engine.ts'

/** Events are emitted one after the other; a promise is waited for before the next one (an abort ends the waiting). */
export type Step = GenerateEvent | Promise<unknown>
export type Script = (request: GenerateRequest) => Iterable<Step>

export interface ScriptedEngineOptions {
  script?: Script
  info?: Partial<EngineInfo>
  /** Waited for by `start()`. */
  starting?: Promise<unknown>
}

export interface ScriptedEngine extends Engine {
  /** Generations that have begun and not ended. */
  readonly live: number
  /** Events that have left the engine so far: what a generation goes on to do after its reader has gone shows here. */
  readonly emitted: number
  /** Ids of requests whose thoughts were asked to end. */
  readonly closedThoughts: readonly string[]
  /** All that were asked for so far. */
  readonly requests: readonly GenerateRequest[]
  /** Used by generations that begin later. */
  setScript(script: Script): void
}

const DIMENSIONS = 8

export function createScriptedEngine(options: ScriptedEngineOptions = {}): ScriptedEngine {
  let script = options.script ?? (() => answer('Hello from the script.'))
  let state: EngineState = 'stopped'
  let live = 0
  let emitted = 0
  const running = new Set<string>()
  const closedThoughts: string[] = []
  const requests: GenerateRequest[] = []
  const listeners = new Set<(state: EngineState) => void>()
  const stopping = new AbortController()
  const enter = (next: EngineState): void => {
    state = next
    for (const listener of listeners) listener(next)
  }
  const info: EngineInfo = { ...DEFAULT_INFO, ...options.info }

  async function* generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent> {
    requests.push(request)
    live += 1
    running.add(request.id)
    const aborts = AbortSignal.any([stopping.signal, ...(signal ? [signal] : [])])
    try {
      for await (const event of play(script(request), aborts)) {
        emitted += 1
        yield event
      }
    } finally {
      live -= 1
      running.delete(request.id)
    }
  }

  return {
    kind: 'scripted',
    get state() {
      return state
    },
    get info() {
      return state === 'ready' ? info : undefined
    },
    get live() {
      return live
    },
    get emitted() {
      return emitted
    },
    closedThoughts,
    requests,
    setScript: (next) => {
      script = next
    },
    async start() {
      enter('starting')
      await options.starting
      enter('ready')
      return info
    },
    generate,
    async embed(request: EmbedRequest): Promise<EmbedResult> {
      if (!info.canEmbed) throw new AppError('not-an-embedding-model', { model: request.model, reason: 'the script says so' })
      const vectors = request.inputs.map((input) => vectorOf(typeof input === 'string' ? input : String(input)))
      return { vectors, dimensions: DIMENSIONS, promptTokens: request.inputs.reduce((sum, input) => sum + input.length, 0) }
    },
    tokenize: async (prompt) => [...Buffer.from(textOf(prompt))],
    detokenize: async (tokens) => Buffer.from(tokens).toString(),
    render: async (prompt) => textOf(prompt),
    async closeThought(requestId) {
      if (!running.has(requestId)) return false
      closedThoughts.push(requestId)
      return true
    },
    async rerank({ query, documents }: RerankRequest): Promise<RerankResult> {
      const wanted = new Set(wordsOf(query).map((word) => word.trim()))
      const scores = documents.map((document) => wordsOf(document).filter((word) => wanted.has(word.trim())).length / wanted.size)
      return { scores, promptTokens: documents.reduce((sum, document) => sum + document.length + query.length, 0) }
    },
    stats: async () => ({ ...EMPTY_STATS, running: live }),
    async stop() {
      if (state === 'stopped') return
      enter('draining')
      stopping.abort(new AppError('shutting-down'))
      enter('stopped')
    },
    onStateChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Plays until the end of the script, or until the abort, which is told as an `error`. */
async function* play(steps: Iterable<Step>, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
  for (const step of steps) {
    if (signal.aborted) return yield ended(signal)
    if (step instanceof Promise) await Promise.race([step, aborted(signal)])
    if (signal.aborted) return yield ended(signal)
    if (!(step instanceof Promise)) yield step
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function ended(signal: AbortSignal): GenerateEvent {
  const error = signal.reason instanceof AppError ? signal.reason : new AppError('cancelled')
  return { type: 'error', error: toWireError(error) }
}

export interface AnswerOptions {
  choices?: number
  reason?: FinishReason
  /** Thoughts before the text. */
  reasoning?: string
  usage?: Partial<Usage>
  /** Calls after the text; the arguments come in two pieces. */
  calls?: { id: string; name: string; arguments: string }[]
  /** Told before the first word. */
  notices?: Notice[]
  /** Every word carries a log-probability: −0.5, with this many alternatives. */
  logprobs?: number | undefined
}

/** The events of a whole answer, a delta a word, the choices in turn. */
export function* answer(text: string, options: AnswerOptions = {}): Generator<GenerateEvent> {
  const { choices = 1, reasoning = '', calls = [], notices = [], logprobs } = options
  const reason = options.reason ?? (calls.length > 0 ? 'tool-calls' : 'stop')
  const withLogprob = (word: string): { logprobs?: TokenLogprob[] } =>
    logprobs === undefined ? {} : { logprobs: [tokenLogprob(word, -0.5, logprobs)] }
  for (const notice of notices) yield { type: 'notice', notice }
  const [thoughts, words] = [wordsOf(reasoning), wordsOf(text)]
  const all = Array.from({ length: choices }, (_, choice) => choice)
  for (const word of thoughts) for (const choice of all) yield { type: 'reasoning-delta', choice, text: word, ...withLogprob(word) }
  for (const word of words) for (const choice of all) yield { type: 'text-delta', choice, text: word, ...withLogprob(word) }
  for (const choice of all) yield* callEvents(choice, calls)
  for (const choice of all) yield { type: 'choice-end', choice, reason }
  const completionTokens = (thoughts.length + words.length) * choices
  yield finish({ completionTokens, reasoningTokens: thoughts.length * choices, ...options.usage })
}

function* callEvents(choice: number, calls: NonNullable<AnswerOptions['calls']>): Generator<GenerateEvent> {
  for (const [call, { id, name, arguments: text }] of calls.entries()) {
    const half = Math.floor(text.length / 2)
    yield { type: 'tool-call-delta', choice, call, id, name, arguments: '' }
    yield { type: 'tool-call-delta', choice, call, arguments: text.slice(0, half) }
    yield { type: 'tool-call-delta', choice, call, arguments: text.slice(half) }
  }
}

export function tokenLogprob(token: string, logprob: number, alternatives = 0): TokenLogprob {
  const bytes = (text: string): number[] => [...Buffer.from(text)]
  const top = Array.from({ length: alternatives }, (_, index) => ({
    token: index === 0 ? token : `~${index}`,
    bytes: bytes(index === 0 ? token : `~${index}`),
    logprob: logprob - index,
  }))
  return { token, bytes: bytes(token), logprob, top }
}

/** The last event of a good answer. */
export function finish(usage: Partial<Usage> = {}): Extract<GenerateEvent, { type: 'finish' }> {
  const all: Usage = { promptTokens: 12, cachedTokens: 4, completionTokens: 3, reasoningTokens: 0, ...usage }
  const timings: Timings = {
    queuedMs: 1,
    promptMs: 20,
    promptTokens: all.promptTokens - all.cachedTokens,
    decodeMs: 10 * all.completionTokens,
    decodeTokens: all.completionTokens,
    draftedTokens: 0,
    acceptedTokens: 0,
  }
  return { type: 'finish', usage: all, timings }
}

/** Words with the white space before them. */
function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}

function textOf(prompt: Prompt): string {
  switch (prompt.type) {
    case 'text':
      return prompt.text
    case 'tokens':
      return Buffer.from(prompt.tokens).toString()
    case 'infill':
      return `${prompt.prefix}<hole>${prompt.suffix}`
    case 'messages':
      return prompt.messages.map(({ role, content }) => `${role}: ${content}`).join('\n')
  }
}

/** A unit vector that depends on the text. */
function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS)
  Buffer.from(text).forEach((byte, index) => {
    vector[index % DIMENSIONS] = (vector[index % DIMENSIONS] ?? 0) + byte
  })
  const length = Math.hypot(...vector) || 1
  return vector.map((number) => number / length)
}

const DEFAULT_INFO: EngineInfo = {
  kind: 'scripted',
  architecture: 'scripted',
  context: 4096,
  largestContext: 8192,
  trainedContext: 8192,
  parallel: 8,
  vocabularySize: 256,
  hasChatTemplate: true,
  canEmbed: true,
  memory: { weights: 0, kv: 0, compute: 0 },
  loadMs: 1,
}

const EMPTY_STATS: EngineStats = {
  running: 0,
  waiting: 0,
  cells: { running: 0, cached: 0, free: 0, total: 0 },
  cache: { memoryBytes: 0, diskBytes: 0, hitTokens: 0, computedTokens: 0 },
  tokens: { prompt: 0, generated: 0, drafted: 0, accepted: 0 },
  step: { count: 0, ms: 0, overheadMs: 0 },
}
