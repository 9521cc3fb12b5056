/** Log-probabilities as the old completions API had them: lists side by side. Pure. */
import type { TokenLogprob } from '../../shared/generate.ts'
import type { Completion } from '../../shared/openai.ts'
import { finiteLogprob } from './openai-reply.ts'

type LegacyLogprobs = NonNullable<Completion['choices'][number]['logprobs']>

/** `offset` is where the first token begins in the choice's text, in characters. */
export function legacyLogprobs(logprobs: readonly TokenLogprob[], offset: number): LegacyLogprobs {
  const result: LegacyLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] }
  let position = offset
  for (const one of logprobs) {
    result.tokens.push(tokenText(one))
    result.token_logprobs.push(finiteLogprob(one.logprob))
    // The sampled token is always among them, so there may be one more than were asked for.
    result.top_logprobs.push(Object.fromEntries([...one.top, one].map((each) => [tokenText(each), finiteLogprob(each.logprob)])))
    result.text_offset.push(position)
    position += lengthOf(one)
  }
  return result
}

/**
 * The prompt's part of an echo. The first token has no log-probability, and what stands for it (0) says nothing of alternatives; a token that
 * begins the prompt without being in its text (the model's own first token) takes no room.
 */
export function echoLogprobs(logprobs: readonly TokenLogprob[], echo: string): LegacyLogprobs {
  const [first] = logprobs
  const result = legacyLogprobs(logprobs, first && !echo.startsWith(first.token) ? -lengthOf(first) : 0)
  if (first) {
    result.top_logprobs[0] = {}
    result.text_offset[0] = 0
  }
  return result
}

export function joinLogprobs(first: LegacyLogprobs, second: LegacyLogprobs): LegacyLogprobs {
  return {
    tokens: [...first.tokens, ...second.tokens],
    token_logprobs: [...first.token_logprobs, ...second.token_logprobs],
    top_logprobs: [...first.top_logprobs, ...second.top_logprobs],
    text_offset: [...first.text_offset, ...second.text_offset],
  }
}

/** A token that is a part of a character is told by its bytes, as OpenAI does, so that two such tokens stay apart. */
function tokenText({ token, bytes }: Pick<TokenLogprob, 'token' | 'bytes'>): string {
  if (!token.includes('\uFFFD') || Buffer.from(token).equals(Buffer.from(bytes))) return token
  return `bytes:${bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`
}

/** Characters that begin in this token: bytes that do not continue one (RFC 3629, section 3). */
export function lengthOf({ token, bytes }: Pick<TokenLogprob, 'token' | 'bytes'>): number {
  return bytes.length > 0 ? bytes.filter((byte) => (byte & 0xc0) !== 0x80).length : characterCount(token)
}

/** Unicode characters, not UTF-16 units. */
export function characterCount(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
