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
    summary: 'Answer a conversation',
    notes:
      'Thoughts are blocks of the reply when `thinking` asks for them. Their signatures are verified when they come back; a thought of another ' +
      'model is left out of the prompt and listed in `x-bendi-ignored`. The prefix cache needs no `cache_control`; `cache_read_input_tokens` ' +
      'says what it saved. With an `anthropic-version` header `/v1/models` answers in this form too.',
    body: AnthropicRequestSchema,
    response: AnthropicMessageReplySchema,
    events: AnthropicEventSchema,
  },
  {
    ...anthropic,
    method: 'POST',
    path: '/v1/messages/count_tokens',
    summary: 'How many tokens a conversation is, as the model would read it',
    body: CountTokensRequestSchema,
    response: CountTokensReplySchema,
  },
]
