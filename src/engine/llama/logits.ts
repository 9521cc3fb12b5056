/** Arithmetic on a whole row of logits. Pure. */
import type { Candidates } from './logit-scan.ts'

/** All tokens in order of their ids. */
export function fillCandidates(logits: Float32Array, candidates: Candidates): void {
  const { ids, logits: values } = candidates
  for (let token = 0, at = 0; token < logits.length; token++, at += 3) {
    ids[at] = token
    values[at + 1] = logits[token] ?? 0
  }
}

/** Natural logarithm of the sum of e^logit, computed from the largest down so that nothing overflows. */
export function logSumExp(logits: Float32Array): number {
  let highest = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > highest) highest = logit
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - highest)
  return highest + Math.log(sum)
}
