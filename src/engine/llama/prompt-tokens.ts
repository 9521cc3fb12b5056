/** Prompts → tokens, and back: what the vocabulary of one model makes of texts. */
import { AppError } from '../../shared/errors.ts'
import type { PromptText } from './messages.ts'
import type { LlamaModel } from './model.ts'

/** Texts longer than this are tokenised on a thread, so that nobody's step waits. */
const LONG_TEXT = 20_000

/** Throws `infill-unsupported`, `invalid-request`. */
export async function promptTokens(model: LlamaModel, prompt: PromptText): Promise<number[]> {
  switch (prompt.type) {
    case 'tokens':
      return prompt.tokens
    case 'text':
      return prompt.text.length > LONG_TEXT ? model.tokenizeAsync(prompt.text, prompt) : model.tokenize(prompt.text, prompt)
    case 'infill':
      return infillTokens(model, prompt.prefix, prompt.suffix)
  }
}

/**
 * Prefix, suffix, then the place to write: the order of "Efficient Training of Language Models to Fill in the Middle" (Bavarian 2022) that
 * Qwen, DeepSeek, CodeLlama and StarCoder use. A vocabulary without a token for the middle is Codestral's, which has the suffix first.
 */
async function infillTokens(model: LlamaModel, prefix: string, suffix: string): Promise<number[]> {
  const { binding, vocabulary, shape } = model
  const [before, after, middle] = [
    binding.infillPrefixToken(vocabulary),
    binding.infillSuffixToken(vocabulary),
    binding.infillMiddleToken(vocabulary),
  ]
  if (before < 0 || after < 0) throw new AppError('infill-unsupported', { model: shape.name ?? shape.architecture })
  // What a user wrote is never taken for a special token.
  const plain = { addSpecial: false, parseSpecial: false }
  const [prefixTokens, suffixTokens] = [await model.tokenizeAsync(prefix, plain), await model.tokenizeAsync(suffix, plain)]
  const begin = shape.addsBegin && shape.beginToken !== undefined ? [shape.beginToken] : []
  if (middle < 0) return [...begin, after, ...suffixTokens, before, ...prefixTokens]
  return [...begin, before, ...prefixTokens, after, ...suffixTokens, middle]
}

/** Special tokens come as their texts. */
export function textOfTokens(model: LlamaModel, tokens: readonly number[]): string {
  return new TextDecoder().decode(Buffer.concat(tokens.map((token) => model.pieceBytes(token, true))))
}

/** Throws `empty-prompt`, `invalid-token`. */
export function assertTokens(model: LlamaModel, tokens: readonly number[]): void {
  if (tokens.length === 0) throw new AppError('empty-prompt')
  const last = model.shape.vocabularySize - 1
  const wrong = tokens.find((token) => !Number.isInteger(token) || token < 0 || token > last)
  if (wrong !== undefined) throw new AppError('invalid-token', { token: wrong, last })
}

/** Throws `invalid-field` for a token that the vocabulary does not have. */
export function assertBias(model: LlamaModel, bias: Readonly<Record<string, number>> = {}): void {
  const last = model.shape.vocabularySize - 1
  const wrong = Object.keys(bias).find((token) => Number(token) > last)
  if (wrong !== undefined) {
    throw new AppError('invalid-field', { field: 'logit_bias', reason: `there is no token ${wrong}; the last one is ${last}` })
  }
}
