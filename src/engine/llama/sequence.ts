/** One request inside the scheduler. */
import type { FinishReason } from '../../shared/generate.ts'
import type { FailureCode, SampledToken, SamplerSettings, Slot } from './batch.ts'
import { PromptLookup } from './prompt-lookup.ts'
import type { Snapshot } from './snapshot-store.ts'

export interface SequenceRequest {
  id: number
  tokens: readonly number[]
  /** Generated tokens at most; absent = up to the window. */
  maxTokens?: number
  sampling: SamplerSettings
  /** Gives way to all that is not: admitted after it, suspended for it. */
  background?: boolean
}

export interface Sequence {
  readonly id: number
  readonly sampling: SamplerSettings
  readonly maxTokens: number
  readonly promptLength: number
  /** Prompt and answer. While it decodes, all but the last are in the KV cache. */
  readonly tokens: number[]
  /** Absent while it waits. */
  slot: Slot | undefined
  /** Prompt tokens that came from the prefix cache when it was first admitted. */
  cachedTokens: number
  admitted: boolean
  /** 1 for work that gives way, else 0. */
  readonly background: 0 | 1
  /** Saved when it was suspended. The first `length` tokens of the snapshot are its own: another's, longer one may serve it too. */
  suspended: { snapshot: Snapshot; length: number } | undefined
  arrivedAt: number
  /** How often a later one was admitted before it. */
  bypassed: number
  readonly lookup: PromptLookup
  draftedTokens: number
  acceptedTokens: number
  times: SequenceTimes
}

/** ms on the scheduler's clock. */
export interface SequenceTimes {
  arrived: number
  admitted: number | undefined
  firstToken: number | undefined
  ended: number | undefined
}

/** What a step brought about. Every sequence ends exactly once, with `ended` or `failed`. */
export type Emission =
  | { type: 'admitted'; sequence: Sequence }
  | { type: 'prefill'; sequence: Sequence; done: number }
  | { type: 'tokens'; sequence: Sequence; tokens: SampledToken[] }
  | { type: 'ended'; sequence: Sequence; reason: FinishReason }
  | { type: 'failed'; sequence: Sequence; code: FailureCode | 'cancelled'; reason: string }

export function createSequence(request: SequenceRequest, now: number): Sequence {
  return {
    id: request.id,
    sampling: request.sampling,
    maxTokens: request.maxTokens ?? Number.POSITIVE_INFINITY,
    promptLength: request.tokens.length,
    tokens: [...request.tokens],
    slot: undefined,
    cachedTokens: 0,
    admitted: false,
    background: request.background ? 1 : 0,
    suspended: undefined,
    arrivedAt: now,
    bypassed: 0,
    lookup: new PromptLookup(),
    draftedTokens: 0,
    acceptedTokens: 0,
    times: { arrived: now, admitted: undefined, firstToken: undefined, ended: undefined },
  }
}

/** Whose turn is first: work in the background last, else who came first. */
export function byTurn(a: Sequence, b: Sequence): number {
  return a.background - b.background || a.arrivedAt - b.arrivedAt || a.id - b.id
}

/** Those in the background only when there are no others. `sequences` in the order of their turn. */
export function mostUrgent(sequences: readonly Sequence[]): Sequence[] {
  return sequences.filter((sequence) => sequence.background === sequences[0]?.background)
}

export function generatedCount(sequence: Sequence): number {
  return sequence.tokens.length - sequence.promptLength
}

/** So close to its window's end an answer is taken for one that will not stop there. */
const TOKENS_AHEAD = 8

/** Tokens of window that it is about to need. */
export function windowNeededBy({ tokens, promptLength, maxTokens }: Sequence): number {
  return Math.min(tokens.length + TOKENS_AHEAD, promptLength + maxTokens)
}

/** Appends sampled tokens up to an end-of-generation token or the limit; `reason` when that ends the sequence. */
export function keepTokens(
  sequence: Sequence,
  sampled: readonly SampledToken[],
  isEnd: (token: number) => boolean,
): { kept: SampledToken[]; reason?: FinishReason } {
  const kept: SampledToken[] = []
  for (const token of sampled) {
    if (generatedCount(sequence) >= sequence.maxTokens) break
    if (isEnd(token.token)) return { kept, reason: 'stop' }
    sequence.tokens.push(token.token)
    kept.push(token)
  }
  return generatedCount(sequence) >= sequence.maxTokens ? { kept, reason: 'length' } : { kept }
}
