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
    summary: { en: 'Answer a conversation', zh: '回答对话' },
    notes: {
      en:
        'Usage comes in the last chunk with `stream_options.include_usage`; the stream ends with `data: [DONE]`. Thoughts are in `reasoning_content`; ' +
        '`reasoning_format` (or the header `x-bendi-reasoning`) puts them elsewhere. `truncation: "auto"` (or `x-bendi-truncation`) drops the oldest ' +
        'turns of a conversation that is too long; the reply says so in `x-bendi-truncated` and `bendi.notices`. Fields without effect are listed in ' +
        '`x-bendi-ignored`; what cannot be honoured is refused by name. With an `Idempotency-Key`, a request that is sent again gets the same reply ' +
        '(not for streams).',
      zh: '设置 `stream_options.include_usage` 时，用量在最后一个数据块中；流以 `data: [DONE]` 结束。思考内容在 `reasoning_content` 中；`reasoning_format`（或请求头 `x-bendi-reasoning`）可改变其位置。`truncation: "auto"`（或 `x-bendi-truncation`）会丢弃过长对话中最早的轮次，并在 `x-bendi-truncated` 和 `bendi.notices` 中说明。没有作用的字段列在 `x-bendi-ignored` 中；无法满足的字段会指名拒绝。使用 `Idempotency-Key` 时，重复发送的请求得到相同的回复（流式除外）。',
    },
    body: ChatRequestSchema,
    response: ChatCompletionSchema,
    events: ChatChunkSchema,
  },
  {
    ...openAi,
    method: 'POST',
    path: '/v1/completions',
    summary: { en: 'Continue a text, or fill in its middle (`suffix`)', zh: '续写文本，或填充其中间（`suffix`）' },
    notes: {
      en: '`best_of` returns the choices with the highest mean log-probability. With `echo` and `logprobs`, the first token of the prompt has 0.',
      zh: '`best_of` 返回平均对数概率最高的候选。同时使用 `echo` 和 `logprobs` 时，提示的第一个 token 的值为 0。',
    },
    body: CompletionRequestSchema,
    response: CompletionSchema,
    events: CompletionChunkSchema,
  },
  {
    ...openAi,
    method: 'POST',
    path: '/v1/embeddings',
    summary: { en: 'Vectors of texts, of length 1', zh: '文本的向量，长度归一为 1' },
    notes: {
      en: '`dimensions` shorter than the model’s own is refused unless the model was trained for it (Matryoshka).',
      zh: '除非模型为此训练过（Matryoshka），否则拒绝小于模型自身维数的 `dimensions`。',
    },
    body: EmbeddingRequestSchema,
    response: EmbeddingListSchema,
  },
  {
    ...openAi,
    method: 'GET',
    path: '/v1/models',
    summary: { en: 'The names that requests may use', zh: '请求可以使用的模型名称' },
    response: OpenAiModelListSchema,
  },
  { ...openAi, method: 'GET', path: '/v1/models/:id{.+}', summary: { en: 'One of them', zh: '其中一个' }, response: OpenAiModelSchema },
  {
    ...openAi,
    method: 'POST',
    path: '/v1/requests/:id/close-thought',
    summary: {
      en: 'Stop thinking and answer now: closes the thoughts of a running request',
      zh: '停止思考，立即回答：结束运行中请求的思考',
    },
    notes: { en: 'The id is that of the reply’s chunks, e.g. `chatcmpl-…`.', zh: 'id 即回复数据块中的 id，例如 `chatcmpl-…`。' },
    response: CloseThoughtReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/v1/rerank',
    aliases: ['/rerank', '/v2/rerank', '/v1/reranking'],
    summary: { en: 'Order documents by what they say about a query', zh: '按与查询的相关性对文档排序' },
    body: RerankRequestSchema,
    response: RerankReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/tokenize',
    summary: { en: 'Token ids of a text', zh: '文本的 token 编号' },
    body: TokenizeRequestSchema,
    response: TokenizeReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/detokenize',
    summary: { en: 'The text of token ids', zh: 'token 编号对应的文本' },
    body: DetokenizeRequestSchema,
    response: DetokenizeReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/apply-template',
    summary: { en: 'The text that the model reads for a conversation', zh: '模型对一段对话实际读到的文本' },
    body: ApplyTemplateRequestSchema,
    response: ApplyTemplateReplySchema,
  },
  {
    ...relative,
    method: 'POST',
    path: '/infill',
    summary: { en: 'Write what is between a prefix and a suffix', zh: '填写前缀与后缀之间的内容' },
    notes: {
      en: 'For models with tokens for it. The stream’s last event has `"stop": true`.',
      zh: '用于词表中有相应 token 的模型。流的最后一个事件带有 `"stop": true`。',
    },
    body: InfillRequestSchema,
    response: InfillReplySchema,
    events: InfillReplySchema,
  },
]
