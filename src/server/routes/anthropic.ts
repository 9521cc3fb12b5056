import { Hono, type Context } from 'hono'
import type { AnthropicModel } from '../../shared/anthropic/messages-reply.ts'
import { parseAnthropicMessages, parseCountTokens } from '../dialects/anthropic-messages.ts'
import { anthropicMessage } from '../dialects/anthropic-reply.ts'
import { createAnthropicEncoder, createPromptCount } from '../dialects/anthropic-stream.ts'
import { truncationHeader } from '../dialects/openai-chat.ts'
import { compact } from '../dialects/request-fields.ts'
import { languageOf } from '../error-reply.ts'
import { jsonReply, streamReply } from '../generation-reply.ts'
import { readJson } from '../json-body.ts'
import { tellIgnored, type RouteContext } from '../route-context.ts'
import { createThoughtSigner, type ThoughtSigner } from '../thought-signature.ts'

/** `POST /v1/messages`, `POST /v1/messages/count_tokens` */
export function anthropicRoutes(context: RouteContext): Hono {
  const { platform, newId, bodyLimit } = context
  const signer = async (): Promise<ThoughtSigner> => createThoughtSigner(await platform.records.seal())
  return new Hono()
    .post('/v1/messages', async (c) => {
      const body = await readJson(c, bodyLimit)
      const shape = { signer: await signer() }
      const call = parseAnthropicMessages(body, `msg_${newId()}`, shape.signer)
      tellIgnored(c, call.ignored)
      const truncation = truncationHeader(c.req.header('x-bendi-truncation'))
      const request = { ...call.request, ...compact({ truncation }), model: await platform.resolveName(call.request.model) }
      const head = { id: request.id, model: request.model }
      const { showsThoughts } = call
      const open = (signal: AbortSignal): ReturnType<typeof platform.generate> => platform.generate(request, signal)
      if (!call.stream) return jsonReply(c, open, 1, (answer) => anthropicMessage(answer, head, { ...shape, showsThoughts }))
      const language = languageOf(c.req.header('accept-language'))
      const requestId = c.res.headers.get('x-request-id') ?? ''
      const prompt = createPromptCount()
      const encoder = createAnthropicEncoder({ head, requestId, language, showsThoughts, prompt, ...shape })
      return streamReply(c, context, (signal) => prompt.watch(open(signal)), encoder)
    })
    .post('/v1/messages/count_tokens', async (c) => {
      const { model, prompt, ignored } = parseCountTokens(await readJson(c, bodyLimit), await signer())
      tellIgnored(c, ignored)
      const tokens = await platform.tokenize(await platform.resolveName(model), prompt)
      return c.json({ input_tokens: tokens.length })
    })
}

/** Anthropic's clients name their API's version; the paths of models are those of OpenAI. */
export function speaksAnthropic(c: Context): boolean {
  return c.req.header('anthropic-version') !== undefined
}

/** `seconds`: since 1970. */
export function anthropicModel(id: string, seconds: number): AnthropicModel {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(seconds * 1000).toISOString(),
    capabilities: null,
    deprecated_at: null,
    lifecycle: 'active',
    line: null,
    max_input_tokens: null,
    max_tokens: null,
    retires_at: null,
  }
}
