/** Log-probabilities of a token and its best alternatives: log-softmax over the raw logits, before anything of the sampler. Pure. */
import type { TokenLogprob } from '../../shared/generate.ts'
import type { LogitScan } from './logit-scan.ts'
import { logSumExp } from './logits.ts'

export interface LogprobTools {
  scan: LogitScan
  /** A token's UTF-8 bytes. */
  pieceBytes(token: number): Uint8Array
}

/** With the `top` likeliest tokens, best first. */
export function tokenLogprob(logits: Float32Array, token: number, top: number, tools: LogprobTools): TokenLogprob {
  const total = logSumExp(logits)
  const describe = (id: number): Omit<TokenLogprob, 'top'> => {
    const bytes = tools.pieceBytes(id)
    return { token: decoder.decode(bytes), bytes: [...bytes], logprob: (logits[id] ?? Number.NEGATIVE_INFINITY) - total }
  }
  return { ...describe(token), top: topTokens(logits, top, tools.scan).map(describe) }
}

// Not fatal: a token may be half a character, which shows as U+FFFD; `bytes` has the truth.
const decoder = new TextDecoder()

function topTokens(logits: Float32Array, count: number, scan: LogitScan): number[] {
  if (count === 0) return []
  const ids = new Int32Array(3 * count)
  const size = scan.selectTop(logits, count, { ids, logits: new Float32Array(ids.buffer) })
  return Array.from({ length: size }, (_, index) => ids[3 * index] ?? 0)
}
