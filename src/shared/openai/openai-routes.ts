/** The OpenAI surface and its relatives (rerank, tokens, fill in the middle), as rows of the table of all routes. */
import {
  ChatChunkSchema,
  ChatCompletionSchema,
  CompletionChunkSchema,
  CompletionSchema,
  OpenAiModelListSchema,
  OpenAiModelSchema,
} from '../openai.ts'
import type { WireRoute } from '../wire-route.ts'
import { ChatRequestSchema } from './chat-request.ts'
import { CompletionRequestSchema } from './completion-request.ts'
import { EmbeddingListSchema, EmbeddingRequestSchema } from './embedding.ts'
import { RerankReplySchema, RerankRequestSchema } from './rerank.ts'
import {
  ApplyTemplateReplySchema,
  ApplyTemplateRequestSchema,
  CloseThoughtReplySchema,
  DetokenizeReplySchema,
  DetokenizeRequestSchema,
  InfillReplySchema,
  InfillRequestSchema,
  TokenizeReplySchema,
  TokenizeRequestSchema,
} from './tokens.ts'

const openAi = { group: 'OpenAI', dialect: 'openai' } as const
const relative = { group: 'Tokens, ranking, infilling', dialect: 'openai' } as const

export const openAiRoutes: readonly WireRoute[] = [
  {
    ...openAi,
    method: 'POST',
    path: '/v1/chat/completions',
    summary: 'Answer a conversation',
    notes:
      'Usage comes in the last chunk with `stream_options.include_usage`; the stream ends with `data: [DONE]`. Thoughts are in `reasoning_content`; ' +
      '`reasoning_format` (or the header `x-bendi-reasoning`) puts them elsewhere. `truncation: "auto"` (or `x-bendi-truncation`) drops the oldest ' +
      'turns of a conversation that is too long; the reply says so in `x-bendi-truncated` and `bendi.notices`. Fields without effect are listed in ' +
      '`x-bendi-ignored`; what cannot be honoured is refused by name. With an `Idempotency-Key`, a request that is sent again gets the same reply ' +
      '(not for streams).',
    body: ChatRequestSchema,
    response: ChatCompletionSchema,
    events: ChatChunkSchema,
  },
  {
    ...openAi,
    method: 'POST',
    path: '/v1/completions',
    summary: 'Continue a text, or fill in its middle (`suffix`)',
    notes:
      '`best_of` returns the choices with the highest mean log-probability. With `echo` and `logprobs`, the first token of the prompt has 0.',
    body: CompletionRequestSchema,
    response: CompletionSchema,
    events: CompletionChunkSchema,
  },
  {
    ...openAi,
    method: 'POST',
    path: '/v1/embeddings',
    summary: 'Vectors of texts, of length 1',
    notes: '`dimensions` shorter than the model’s own is refused unless the model was trained for it (Matryoshka).',
    body: EmbeddingRequestSchema,
    response: EmbeddingListSchema,
  },
  { ...openAi, method: 'GET', path: '/v1/models', summary: 'The names that requests may use', response: OpenAiModelListSchema },
  { ...openAi, method: 'GET', path: '/v1/models/:id{.+}', summary: 'One of them', response: OpenAiModelSchema },
  {
    ...openAi,
    method: 'POST',
    path: '/v1/requests/:id/close-thought',
    summary: 'Stop thinking and answer now: closes the thoughts of a running request',
    notes: 'The id is that of the reply’s chunks, e.g. `chatcmpl-…`.',
    response: CloseThoughtReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/v1/rerank',
    aliases: ['/rerank', '/v2/rerank', '/v1/reranking'],
    summary: 'Order documents by what they say about a query',
    body: RerankRequestSchema,
    response: RerankReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/tokenize',
    summary: 'Token ids of a text',
    body: TokenizeRequestSchema,
    response: TokenizeReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/detokenize',
    summary: 'The text of token ids',
    body: DetokenizeRequestSchema,
    response: DetokenizeReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/apply-template',
    summary: 'The text that the model reads for a conversation',
    body: ApplyTemplateRequestSchema,
    response: ApplyTemplateReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/infill',
    summary: 'Write what is between a prefix and a suffix',
    notes: 'For models with tokens for it. The stream’s last event has `"stop": true`.',
    body: InfillRequestSchema,
    response: InfillReplySchema,
    events: InfillReplySchema,
  },
]
