/** `/tokenize`, `/detokenize` and `/apply-template`, in llama-server's shapes. Pure. */
import type { Prompt } from '../../shared/generate.ts'
import {
  ApplyTemplateRequestSchema,
  DetokenizeRequestSchema,
  TokenizeRequestSchema,
  type TokenizeReply,
} from '../../shared/openai/tokens.ts'
import { messagesOf } from './openai-messages.ts'
import { toolWishesOf } from './openai-tools.ts'
import { compact, ignoredFields, parseBody } from './request-fields.ts'
import { thinkingOf } from './thinking-fields.ts'

interface TokensCall {
  model: string
  ignored: string[]
}

export function parseTokenize(body: unknown): TokensCall & { text: string; withPieces: boolean } {
  const call = parseBody(TokenizeRequestSchema, body)
  const ignored = ignoredFields(call, TokenizeRequestSchema.shape)
  return { model: call.model ?? 'default', text: call.content, withPieces: call.with_pieces ?? false, ignored }
}

export function parseDetokenize(body: unknown): TokensCall & { tokens: number[] } {
  const call = parseBody(DetokenizeRequestSchema, body)
  return { model: call.model ?? 'default', tokens: call.tokens, ignored: ignoredFields(call, DetokenizeRequestSchema.shape) }
}

export function parseApplyTemplate(body: unknown): TokensCall & { prompt: Prompt } {
  const call = parseBody(ApplyTemplateRequestSchema, body)
  const { messages, continueLast } = messagesOf(call)
  const { tools } = toolWishesOf({ tools: call.tools })
  const prompt: Prompt = {
    type: 'messages',
    messages,
    ...compact({
      tools,
      thinking: thinkingOf(call),
      templateVariables: call.chat_template_kwargs,
      continueLast: continueLast || undefined,
    }),
  }
  return { model: call.model ?? 'default', prompt, ignored: ignoredFields(call, ApplyTemplateRequestSchema.shape) }
}

/** `pieces[i]` is the text of token i; a token that is no whole character is told by what stands for it. */
export function tokenizeReply(tokens: readonly number[], pieces: readonly string[] | undefined): TokenizeReply {
  if (!pieces) return { tokens: [...tokens] }
  return { tokens: tokens.map((id, index) => ({ id, piece: pieces[index] ?? '' })) }
}
