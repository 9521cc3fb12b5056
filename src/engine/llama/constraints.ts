/**
 * What answers are held to, for one model: each constraint is tried in a thread first. What is quick is then compiled in the thread that answers
 * for all such; what is dear stays in the thread that tried it. Those used lately stay compiled. No step ever waits for a compilation that is not quick.
 */
import type { ConstraintRoot } from '../../formats/constraint.ts'
import { AppError } from '../../shared/errors.ts'
import { ConstraintRefused, ConstraintTooDear } from './constraint-compiler.ts'
import type { CompiledConstraint } from './constraint-compiler.ts'
import { constraintRule } from './constraint-rule.ts'
import { startConstraintServer } from './constraint-server.ts'
import type { ConstraintServer } from './constraint-server.ts'
import { createConstraintTrial } from './constraint-trial.ts'
import type { ConstraintTrial } from './constraint-trial.ts'
import type { LlamaModel } from './model.ts'
import type { TokenRule } from './token-rule.ts'
import { readVocabulary } from './token-vocabulary.ts'
import type { Markup, TokenVocabulary } from './token-vocabulary.ts'

/** A constraint that takes longer to prepare is refused. It does so in a thread of its own, so nobody but its request waits. */
const LIMIT_MS = 5_000
/** What takes longer to compile stays in the thread that tried it: a thread that answers for others may have to compile between two questions. */
const LIGHT_MS = 100
/** Threads that answer for the quick ones: a new constraint is compiled in one that nobody asks, as long as there are threads. */
const MAX_SERVERS = 3
const LIGHT_BYTES = 32 * 2 ** 20
/** Such threads at most: each holds the vocabulary once more. */
const MAX_HOSTS = 3
/** What a thread may take for one constraint. */
const MAX_HOST_BYTES = 512 * 2 ** 20
const MAX_BYTES = 2 ** 18
const MAX_COMPILED = 64

export class Constraints {
  readonly #model: LlamaModel
  /** By markup: one, unless a request brings a dialect of its own. */
  readonly #sets = new Map<string, Promise<ConstraintSet>>()

  constructor(model: LlamaModel) {
    this.#model = model
  }

  /** Opens one rule a sequence. Throws `invalid-schema`, `invalid-pattern`, `invalid-grammar`; the cause is XGrammar's refusal. */
  async prepare(root: ConstraintRoot, markup: Markup): Promise<() => TokenRule> {
    const key = JSON.stringify(markup)
    const set = this.#sets.get(key) ?? readVocabulary(this.#model, markup).then((vocabulary) => new ConstraintSet(vocabulary))
    this.#sets.set(key, set)
    return (await set).prepare(root)
  }

  async close(): Promise<void> {
    for (const set of this.#sets.values()) (await set).close()
  }
}

/** Those of one vocabulary. */
export class ConstraintSet {
  readonly #vocabulary: TokenVocabulary
  readonly #trial: ConstraintTrial
  readonly #lightMs: number
  #servers: ConstraintServer[] = []
  readonly #serverOf = new WeakMap<CompiledConstraint, ConstraintServer>()
  readonly #hosts = new Set<string>()
  /** In the order of use, oldest first. */
  readonly #compiled = new Map<string, Promise<CompiledConstraint>>()

  constructor(vocabulary: TokenVocabulary, { limitMs = LIMIT_MS, lightMs = LIGHT_MS }: { limitMs?: number; lightMs?: number } = {}) {
    this.#vocabulary = vocabulary
    this.#lightMs = lightMs
    this.#trial = createConstraintTrial(vocabulary, { limitMs })
  }

  async prepare(root: ConstraintRoot): Promise<() => TokenRule> {
    const key = JSON.stringify(root)
    if (key.length > MAX_BYTES) throw refusal(root, new ConstraintTooDear(`it is larger than ${MAX_BYTES} characters`))
    const known = this.#compiled.get(key) ?? this.#compile(root, key)
    this.#compiled.delete(key)
    this.#compiled.set(key, known)
    try {
      const compiled = await known
      // Its thread may be compiling something else.
      await this.#serverOf.get(compiled)?.idle()
      if (compiled.isBroken) {
        this.#forget(key, known)
        return await this.prepare(root)
      }
      this.#forgetOldest()
      return () => constraintRule(compiled.open(), this.#vocabulary, hasFreeSpace(root))
    } catch (error) {
      this.#compiled.delete(key)
      this.#hosts.delete(key)
      throw error instanceof ConstraintRefused ? refusal(root, error) : error
    }
  }

  close(): void {
    this.#trial.close()
    for (const server of this.#servers) server.close()
    for (const [key, compiled] of this.#compiled) this.#forget(key, compiled)
  }

  async #compile(root: ConstraintRoot, key: string): Promise<CompiledConstraint> {
    // The first of them gets ready at the same time.
    this.#quietest()
    const { ms, bytes } = await this.#trial.cost(root)
    if (bytes > MAX_HOST_BYTES) throw new ConstraintTooDear(`it is too large: it takes ${Math.round(bytes / 2 ** 20)} MiB`)
    if (ms > this.#lightMs || bytes > LIGHT_BYTES) return this.#keep(key)
    const server = this.#quietest()
    const compiled = await server.add(root)
    this.#serverOf.set(compiled, server)
    return compiled
  }

  #quietest(): ConstraintServer {
    this.#servers = this.#servers.filter(({ isBroken }) => !isBroken)
    const [quietest] = this.#servers.toSorted((a, b) => a.load - b.load)
    if (quietest && (quietest.load === 0 || this.#servers.length >= MAX_SERVERS)) return quietest
    const server = startConstraintServer(this.#vocabulary)
    this.#servers.push(server)
    return server
  }

  #keep(key: string): CompiledConstraint {
    for (const [known, compiled] of this.#compiled)
      if (this.#hosts.size >= MAX_HOSTS && this.#hosts.has(known)) this.#forget(known, compiled)
    const host = this.#trial.keep()
    this.#hosts.add(key)
    return host
  }

  #forget(key: string, compiled: Promise<CompiledConstraint>): void {
    this.#compiled.delete(key)
    this.#hosts.delete(key)
    // Those that it holds go on.
    void compiled.then((grammar) => grammar.dispose())
  }

  #forgetOldest(): void {
    const [oldest] = this.#compiled
    if (oldest && this.#compiled.size > MAX_COMPILED) this.#forget(...oldest)
  }
}

/** White space between the parts of JSON is free, so that a model may write nothing else for ever. */
function hasFreeSpace({ type }: ConstraintRoot): boolean {
  return type === 'json-schema' || type === 'json-object' || type === 'structural'
}

function refusal(root: ConstraintRoot, cause: ConstraintRefused): AppError {
  const reason = cause.message
  switch (root.type) {
    case 'json-schema':
    case 'json-object':
    case 'structural':
      return new AppError('invalid-schema', { reason }, { cause })
    case 'regex':
      return new AppError('invalid-pattern', { reason }, { cause })
    case 'grammar':
      return new AppError('invalid-grammar', { reason }, { cause })
  }
}
