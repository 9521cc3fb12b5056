/** Prefixes that are just being computed: whoever wants one too waits for it rather than compute it twice. */
import type { KvPool } from './kv-pool.ts'
import { MIN_SHARED_TOKENS } from './kv-pool.ts'
import { generatedCount } from './sequence.ts'
import type { Sequence } from './sequence.ts'

/** Tokens of it that are in the KV cache. */
export function lengthOf(sequence: Sequence, pool: KvPool): number {
  return sequence.slot === undefined ? 0 : pool.lengthOf(sequence.slot)
}

/** More than the last token is not in the KV cache yet, or nothing was sampled so far. */
export function isPrefilling(sequence: Sequence, pool: KvPool): boolean {
  return sequence.tokens.length - lengthOf(sequence, pool) > 1 || generatedCount(sequence) === 0
}

/** Some running sequence is on its way to more of this prompt than the `known` tokens that are there now. */
export function isBeingComputed(sequence: Sequence, known: number, running: readonly Sequence[], pool: KvPool): boolean {
  return running.some((leader) => {
    if (!isPrefilling(leader, pool)) return false
    const shared = sharedTokens(leader, sequence)
    return shared >= MIN_SHARED_TOKENS && shared > known && shared > lengthOf(leader, pool)
  })
}

/** Tokens of its prompt that are left, up to where somebody waits for the prefix: so that they can begin together. */
export function chunkLimit(sequence: Sequence, waiting: readonly Sequence[], pool: KvPool): number {
  const done = lengthOf(sequence, pool)
  let limit = sequence.tokens.length - done
  for (const follower of waiting) {
    const shared = sharedTokens(sequence, follower)
    if (shared >= MIN_SHARED_TOKENS && shared > done) limit = Math.min(limit, shared - done)
  }
  return limit
}

/** Of the follower's prompt, whose last token it must compute itself to have something to sample from. */
function sharedTokens(leader: Sequence, follower: Sequence): number {
  const most = Math.min(leader.tokens.length, follower.tokens.length - 1)
  let length = 0
  while (length < most && leader.tokens[length] === follower.tokens[length]) length++
  return length
}
