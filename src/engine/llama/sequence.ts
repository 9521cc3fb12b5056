/** One request inside the scheduler. */
import type { FinishReason } from '../../shared/generate.ts'
import type { SampledToken, SamplerSettings, Slot } from './batch.ts'
import { PromptLookup } from './prompt-lookup.ts'
import type { Snapshot } from './snapshot-store.ts'

export interface SequenceRequest {
  id: number
  tokens: readonly number[]
  /** Generated tokens at most; absent = up to the window. */
  maxTokens?: number
  sampling: SamplerSettings
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
  | { type: 'failed'; sequence: Sequence; code: 'invalid-grammar' | 'internal' | 'cancelled'; reason: string }

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
    suspended: undefined,
    arrivedAt: now,
    bypassed: 0,
    lookup: new PromptLookup(),
    draftedTokens: 0,
    acceptedTokens: 0,
    times: { arrived: now, admitted: undefined, firstToken: undefined, ended: undefined },
  }
}

export function generatedCount(sequence: Sequence): number {
  return sequence.tokens.length - sequence.promptLength
}
