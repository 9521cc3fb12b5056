/**
 * What passes between the scheduler (pure) and a runner (native, or the fake of the tests):
 * `sampled = await runner.run(batch)`, where `batch = scheduler.schedule()` and `scheduler.commit(batch, sampled)`.
 */
import type { Sampling, TokenLogprob } from '../../shared/generate.ts'
import type { ClosedBy, ThoughtSettings } from './answer-rule.ts'
import type { StepShape } from './step-cost.ts'
import type { TokenRule } from './token-rule.ts'

/** A libllama sequence id, 0 … slots − 1. */
export type Slot = number

/** Guessed tokens of all sequences in one step at most: with one token that is known, a tile of flash attention on processors (step-cost.ts). */
export const MAX_DRAFT = 63

/**
 * Work on the KV cache that must happen, in order, before the batch is decoded.
 * In the split layout `copy` always copies the whole source sequence (length = its length); the scheduler removes the tail itself.
 */
export type KvOperation =
  /** Cells [0, length) of `from` become cells of `to`, which is empty. */
  | { type: 'copy'; from: Slot; to: Slot; length: number }
  /** Drops positions ≥ `start`; 0 empties the slot. */
  | { type: 'remove'; slot: Slot; start: number }
  /** The whole sequence out into ordinary memory, under a key. */
  | { type: 'save'; slot: Slot; key: number }
  /** … and back into an empty slot. The blob stays stored. */
  | { type: 'load'; slot: Slot; key: number }
  /** Samplers live as long as their sequence. `tokens` is the prompt, for the penalties. */
  | { type: 'open'; sequence: number; sampling: SamplerSettings; tokens: readonly number[] }
  | { type: 'close'; sequence: number }

export interface SamplerSettings extends Sampling {
  /** Resolved: never absent. */
  seed: number
  /** Alternatives to report; absent = none. */
  logprobs?: number
  /** End-of-generation tokens may not be sampled. */
  ignoreEos: boolean
  hold?: AnswerHold
}

/** What an answer is held to, and what is known about the thought before it. */
export interface AnswerHold {
  thought?: ThoughtSettings
  /** Each opens one rule for one sequence; those that keep no history first. */
  rules: readonly (() => TokenRule)[]
  /** One of them is the grammar of `sampling`. */
  replacesGrammar?: boolean
}

/** Consecutive tokens of one sequence in a batch. */
export interface Run {
  sequence: number
  slot: Slot
  /** Position of tokens[0]. */
  start: number
  tokens: readonly number[]
  /** Sample after the last token (and after each draft). A prefill chunk that is not the prompt's last does not sample. */
  sample: boolean
  /** The last `draft` of `tokens` are guesses. The runner samples at the row before each, and stops at the first that is wrong. */
  draft: number
}

export interface Batch {
  operations: KvOperation[]
  /** In ascending slot order, one run a slot. */
  runs: Run[]
  /** Sum of the runs' tokens, at most `maxBatchTokens`. */
  tokenCount: number
}

export interface SampledToken {
  token: number
  logprob?: TokenLogprob
  /** It belongs to a thought. */
  isThought?: boolean
  /** It is the first of those that end the thought for the model. */
  closedBy?: ClosedBy
}

/** For a run with `sample`: 1 token, and 1 more for each draft that was right (tokens[i] equals draft i for all but the last). */
export interface Sampled {
  sequence: number
  tokens: SampledToken[]
}

/** A sampler or grammar that could not be made; only that sequence fails. */
/** `constraint-too-slow`: what the answer is held to was in order, and takes too long now that it is applied. */
export type FailureCode = 'invalid-grammar' | 'constraint-too-slow' | 'internal'

export interface RunFailure {
  sequence: number
  code: FailureCode
  reason: string
}

export interface RunResult {
  sampled: Sampled[]
  failures: RunFailure[]
  /** Wall time of llama_decode alone, ms. */
  decodeMs: number
}

export interface Runner {
  /** One at a time. Rejects only when the context is unusable. */
  run(batch: Batch): Promise<RunResult>
  /** Size in bytes of a saved blob; 0 when there is none. */
  savedBytes(key: number): number
  /** Takes a blob out of (or puts one into) the runner's store of saved sequences: for the disk tier. */
  savedBlob(key: number): Uint8Array | undefined
  addBlob(key: number, blob: Uint8Array): void
  dropBlob(key: number): void
  /** Makes a sequence end its thought with its next tokens. False when it has none open. */
  closeThought(sequence: number): boolean
  /** Tokens that a slot really holds: for the idle integrity check. */
  sequenceLength(slot: Slot): number
}

/** Tokens that runs compute together. */
export function tokensOf(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.tokens.length, 0)
}

/** What a batch consists of, for its price. */
export function stepShape({ runs, tokenCount }: Batch): StepShape {
  const prompts = runs.filter((run) => !run.sample || run.tokens.length > 1 + run.draft)
  const promptTokens = tokensOf(prompts)
  const guesses = runs.reduce((sum, run) => sum + run.draft, 0)
  const priced = prompts.length > 0 ? prompts : runs.filter((run) => run.draft > 0)
  const depth = priced.reduce((sum, run) => sum + run.start * run.tokens.length, 0) / Math.max(1, tokensOf(priced))
  return { answers: tokenCount - promptTokens - guesses, guesses, promptTokens, depth }
}
