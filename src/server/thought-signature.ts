/** Signatures of thoughts that clients keep for us: a thought comes back into a prompt only when it is what a model thought here. */
import { createHash } from 'node:crypto'
import type { Seal } from '../platform/responses-seal.ts'

export interface ThoughtSigner {
  sign(thought: string): string
  isOurs(thought: string, signature: string): boolean
}

/** The thought's SHA-256, sealed. */
export function createThoughtSigner(seal: Seal): ThoughtSigner {
  return {
    sign: (thought) => seal.seal(digestOf(thought)),
    isOurs: (thought, signature) => seal.unseal(signature) === digestOf(thought),
  }
}

function digestOf(thought: string): string {
  return createHash('sha256').update(thought).digest('base64')
}
