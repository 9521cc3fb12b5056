/** A loaded model in the worker: its lanes, and the generations that run in them. */
import type { Logger } from '../../base/logger.ts'
import { AppError } from '../../shared/errors.ts'
import type { AnswerHold, SamplerSettings } from './batch.ts'
import { ConstraintTooDear } from './constraint-compiler.ts'
import { Constraints } from './constraints.ts'
import { Generation } from './generation.ts'
import { findGrammarProblem } from './grammar-problem.ts'
import type { KvShape } from './kv-pool.ts'
import type { Lane } from './lane.ts'
import { Lanes } from './lanes.ts'
import { LanguageMasks, languageRule } from './language-rule.ts'
import type { GenerateCommand, PromptText, Report, WorkerEvent, WorkerOptions } from './messages.ts'
import type { LlamaModel } from './model.ts'
import { Outbox } from './outbox.ts'
import { scorePrompt } from './prompt-scorer.ts'
import { assertBias, assertTokens, promptTokens, textOfTokens } from './prompt-tokens.ts'
import type { Emission, Sequence } from './sequence.ts'
import { SideWork } from './side-work.ts'
import { isMark } from './token-vocabulary.ts'
import type { Markup } from './token-vocabulary.ts'
import type { EngineStats } from '../engine.ts'

export interface SessionOptions {
  model: LlamaModel
  options: WorkerOptions
  /** Names what saved sequences belong to: model file, KV type, engine version. */
  identity: string
  send(report: Report): void
  onFatal(error: unknown): void
  logger: Logger
}

export class Session {
  readonly #options: SessionOptions
  readonly #generations = new Map<number, Generation>()
  readonly #bySequence = new Map<Sequence, Generation>()
  readonly #laneOf = new Map<Sequence, Lane>()
  readonly #totals = { prompt: 0, cached: 0, generated: 0, drafted: 0, accepted: 0 }
  readonly #lanes: Lanes
  readonly #sideWork: SideWork
  readonly #constraints: Constraints
  readonly #languages: LanguageMasks
  #nextSequence = 1
  readonly #outbox: Outbox

  private constructor(options: SessionOptions, lanes: Lanes) {
    this.#options = options
    this.#outbox = new Outbox({
      send: (events) => options.send({ type: 'events', events }),
      now: () => performance.now(),
      later: (ms, action) => void (ms > 0 ? setTimeout(action, ms) : setImmediate(action)),
    })
    this.#lanes = lanes
    this.#constraints = new Constraints(options.model)
    this.#languages = new LanguageMasks(options.model)
    this.#sideWork = new SideWork({
      model: options.model,
      threads: options.options.threads,
      window: () => lanes.shape.window,
      alone: (action) => lanes.main.between(action),
    })
  }

  static async open(options: SessionOptions): Promise<Session> {
    const opened: { session?: Session } = {}
    const lanes = await Lanes.open({
      ...options,
      // There are none before something was added.
      onEmissions: (lane, emissions) => opened.session?.takeEmissions(lane, emissions),
      onStep: (readersPaceMs) => opened.session?.beginStep(readersPaceMs),
      onResized: ({ window, layout }) => options.send({ type: 'resized', context: window, kvLayout: layout }),
    })
    opened.session = new Session(options, lanes)
    return opened.session
  }

  get shape(): KvShape {
    return this.#lanes.shape
  }

  get largestContext(): number {
    return this.#lanes.largestContext
  }

  /** Never rejects: what goes wrong is an `error` event of that generation. */
  async generate(command: GenerateCommand): Promise<void> {
    const { model } = this.#options
    const pieceBytes = (token: number): Uint8Array => model.pieceBytes(token, isMark(model, token, command.markup))
    const generation = new Generation({ command, pieceBytes, now: () => performance.now() })
    this.#generations.set(generation.id, generation)
    try {
      const tokens = await this.tokenize(command.prompt)
      if (generation.ended) return
      assertTokens(model, tokens)
      assertBias(model, command.sampling.logitBias)
      const hold = await this.#holdOf(command)
      const lane = command.deterministic
        ? await this.#lanes.deterministicLane(tokens.length)
        : await this.#lanes.laneFor(tokens.length, command.maxTokens)
      await this.#scorePrompt(generation, command, tokens)
      if (!generation.ended) this.#startChoices(generation, lane, command, { tokens, hold })
    } catch (error) {
      this.#tell(generation, generation.fail(error))
    }
    this.#outbox.post()
  }

  cancel(id: number): void {
    const generation = this.#generations.get(id)
    if (!generation) return
    const { sequences } = generation
    this.#tell(generation, generation.fail(new AppError('cancelled')))
    for (const sequence of sequences) this.#laneOf.get(sequence)?.cancel(sequence)
    this.#outbox.post()
  }

  /** Ends one answer before its model does. Its last words were sent. */
  endChoice(id: number, choice: number): void {
    const generation = this.#generations.get(id)
    const sequence = generation?.sequences[choice]
    if (!generation || !sequence) return
    this.#tell(generation, generation.endChoice(choice))
    this.#laneOf.get(sequence)?.cancel(sequence)
    this.#outbox.post()
  }

  /** Whether a thought of it was open. */
  closeThought(id: number): boolean {
    const sequences = this.#generations.get(id)?.sequences ?? []
    return sequences.map((sequence) => this.#lanes.closeThought(sequence.id)).includes(true)
  }

  tokenize(prompt: PromptText): Promise<number[]> {
    return promptTokens(this.#options.model, prompt)
  }

  detokenize(tokens: readonly number[]): string {
    return textOfTokens(this.#options.model, tokens)
  }

  embed(inputs: readonly (string | number[])[], signal: AbortSignal): ReturnType<SideWork['embed']> {
    return this.#sideWork.embed(inputs, signal)
  }

  rerank(query: string, documents: readonly string[], signal: AbortSignal): ReturnType<SideWork['rerank']> {
    return this.#sideWork.rerank(query, documents, signal)
  }

  stats(): EngineStats {
    const lanes = this.#lanes.all
    const { stats, scheduler } = this.#lanes.main
    const sum = (value: (lane: Lane) => number): number => lanes.reduce((total, lane) => total + value(lane), 0)
    return {
      running: sum((lane) => lane.scheduler.runningCount),
      waiting: sum((lane) => lane.scheduler.waitingCount),
      cells: scheduler.pool.count(),
      cache: {
        memoryBytes: scheduler.pool.snapshots.memoryBytes,
        diskBytes: this.#lanes.diskBytes,
        hitTokens: this.#totals.cached,
        computedTokens: sum((lane) => lane.stats.computedTokens),
      },
      tokens: {
        prompt: this.#totals.prompt,
        generated: this.#totals.generated,
        drafted: this.#totals.drafted,
        accepted: this.#totals.accepted,
      },
      step: { count: stats.steps, ms: stats.lastMs, overheadMs: stats.lastOverheadMs },
    }
  }

  /** Keeps the prefix cache for the next start. */
  async persist(): Promise<void> {
    await this.#lanes.persist()
  }

  async close(): Promise<void> {
    await this.#lanes.close()
    await this.#constraints.close()
    this.#outbox.send()
  }

  async #scorePrompt(generation: Generation, { promptLogprobs, logprobs }: GenerateCommand, tokens: readonly number[]): Promise<void> {
    if (!promptLogprobs || logprobs === undefined || generation.ended) return
    const { model, options } = this.#options
    const { kvType, threads } = options
    const scoring = { model, kvType, threads, alone: <T>(action: () => Promise<T>) => this.#lanes.main.between(action) }
    const scores = await scorePrompt(tokens, logprobs, scoring, () => generation.ended)
    if (!generation.ended) this.#tell(generation, [{ type: 'prompt-logprobs', tokens: scores }])
  }

  /** Throws `invalid-schema`, `invalid-pattern`, `invalid-grammar`. */
  async #holdOf({ thought, constraint, language, markup, sampling }: GenerateCommand): Promise<AnswerHold> {
    if (sampling.grammar !== undefined) return this.#grammarHold(sampling.grammar, markup)
    const banned = language && (await this.#languages.of(language))
    const form = constraint && (await this.#constraints.prepare(constraint, markup))
    return { rules: [...(banned ? [() => languageRule(banned)] : []), ...(form ? [form] : [])], ...(thought && { thought }) }
  }

  /** Held from the first token on. XGrammar needs less time for what is ambiguous, libllama reads all of GBNF. */
  async #grammarHold(grammar: string, markup: Markup): Promise<AnswerHold> {
    try {
      return { rules: [await this.#constraints.prepare({ type: 'grammar', grammar }, markup)], replacesGrammar: true }
    } catch (error) {
      const isTooDear = error instanceof AppError && error.cause instanceof ConstraintTooDear
      if (isTooDear || findGrammarProblem(grammar) !== undefined) throw error
      return { rules: [] }
    }
  }

  // ── generations ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #startChoices(
    generation: Generation,
    lane: Lane,
    command: GenerateCommand,
    { tokens, hold }: { tokens: readonly number[]; hold: AnswerHold },
  ): void {
    const seed = command.sampling.seed ?? Math.floor(Math.random() * 0xffff_ffff)
    for (let choice = 0; choice < command.choices; choice++) {
      const sampling: SamplerSettings = {
        ...command.sampling,
        seed: (seed + choice) >>> 0,
        ignoreEos: command.ignoreEos,
        hold,
        ...(command.logprobs === undefined ? {} : { logprobs: command.logprobs }),
      }
      const { maxTokens, background } = command
      const sequence = lane.add({ id: this.#nextSequence++, tokens, maxTokens, sampling, background })
      this.#bySequence.set(sequence, generation)
      this.#laneOf.set(sequence, lane)
      generation.add(sequence)
    }
  }

  takeEmissions(lane: Lane, emissions: readonly Emission[]): void {
    for (const emission of emissions) this.#onEmission(lane, emission)
    this.#tellPositions(lane)
    this.#outbox.post()
  }

  beginStep(readersPaceMs: number): void {
    this.#outbox.keepPace(readersPaceMs)
  }

  #onEmission(lane: Lane, emission: Emission): void {
    const generation = this.#bySequence.get(emission.sequence)
    if (!generation) return
    const { events, finish } = generation.take(emission)
    this.#tell(generation, events)
    if (finish) lane.scheduler.finish(emission.sequence)
    if (finish || emission.type === 'ended' || emission.type === 'failed') this.#forget(emission.sequence)
    if (emission.type !== 'failed' || !generation.ended) return
    for (const other of generation.sequences) lane.scheduler.cancel(other)
  }

  #forget(sequence: Sequence): void {
    this.#bySequence.delete(sequence)
    this.#laneOf.delete(sequence)
    this.#totals.prompt += sequence.promptLength
    this.#totals.cached += sequence.cachedTokens
    this.#totals.generated += sequence.tokens.length - sequence.promptLength
    this.#totals.drafted += sequence.draftedTokens
    this.#totals.accepted += sequence.acceptedTokens
  }

  #tellPositions(lane: Lane): void {
    if (lane.scheduler.waitingCount === 0) return
    for (const generation of this.#generations.values()) {
      const [first] = generation.sequences
      if (first && this.#laneOf.get(first) === lane) this.#tell(generation, generation.queued(lane.scheduler.positionOf(first)))
    }
  }

  #tell(generation: Generation, events: readonly WorkerEvent[]): void {
    for (const event of events) this.#outbox.add(generation.id, event)
    if (generation.ended) this.#generations.delete(generation.id)
  }
}
