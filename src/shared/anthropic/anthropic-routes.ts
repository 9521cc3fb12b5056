/** The Anthropic surface, as rows of the table of all routes. */
import type { WireRoute } from '../wire-route.ts'
import { AnthropicEventSchema, AnthropicMessageReplySchema, CountTokensReplySchema } from './messages-reply.ts'
import { AnthropicRequestSchema, CountTokensRequestSchema } from './messages-request.ts'

const anthropic = { group: 'Anthropic', dialect: 'anthropic' } as const

export const anthropicRoutes: readonly WireRoute[] = [
  {
    ...anthropic,
    method: 'POST',
    path: '/v1/messages',
    summary: { en: 'Answer a conversation', zh: '回答对话' },
    notes: {
      en:
        'Thoughts are blocks of the reply when `thinking` asks for them. Their signatures are verified when they come back; a thought of another ' +
        'model is left out of the prompt and listed in `x-bendi-ignored`. The prefix cache needs no `cache_control`; `cache_read_input_tokens` ' +
        'says what it saved. A tool that would run at Anthropic is left out and listed when there are others, and refused when it is alone. With an `anthropic-version` header `/v1/models` answers in this form too. ' +
        '`x-bendi-truncation: auto` drops the oldest turns of a conversation that is too long; `x-bendi-truncated` says so.',
      zh: '当 `thinking` 要求时，思考内容是回复中的块。其签名在传回时会被验证；其他模型的思考内容不会进入提示，并列在 `x-bendi-ignored` 中。前缀缓存不需要 `cache_control`；`cache_read_input_tokens` 说明节省了多少。需在 Anthropic 一侧运行的工具，在还有其他工具时会被省略并列出；仅有它时会被拒绝。带有 `anthropic-version` 请求头时，`/v1/models` 也以此形式回答。`x-bendi-truncation: auto` 会丢弃过长对话中最早的轮次，并在 `x-bendi-truncated` 中说明。',
    },
    body: AnthropicRequestSchema,
    response: AnthropicMessageReplySchema,
    events: AnthropicEventSchema,
  },
  {
    ...anthropic,
    method: 'POST',
    path: '/v1/messages/count_tokens',
    summary: { en: 'How many tokens a conversation is, as the model would read it', zh: '模型实际读取时，对话有多少 token' },
    body: CountTokensRequestSchema,
    response: CountTokensReplySchema,
  },
]
