import { Hono } from 'hono'
import { chatCompletion, createChatEncoder, parseChat } from '../dialects/openai-chat.ts'
import type { ReplyHead } from '../dialects/openai-reply.ts'
import { languageOf } from '../error-reply.ts'
import { jsonReply, streamReply } from '../generation-reply.ts'
import { readJson } from '../json-body.ts'
import { fingerprintOf, tellIgnored, unixSeconds, type RouteContext } from '../route-context.ts'

/** `POST /v1/chat/completions` */
export function chatRoutes(context: RouteContext): Hono {
  const { platform, version, now, newId, bodyLimit } = context
  return new Hono().post('/v1/chat/completions', async (c) => {
    const { request: asked, stream, includeUsage, ignored } = parseChat(await readJson(c, bodyLimit), `chatcmpl-${newId()}`)
    tellIgnored(c, ignored)
    const request = { ...asked, model: await platform.resolveName(asked.model) }
    const head: ReplyHead = { id: request.id, created: unixSeconds(now()), model: request.model, fingerprint: fingerprintOf(version) }
    const open = (signal: AbortSignal): ReturnType<typeof platform.generate> => platform.generate(request, signal)
    if (!stream) return jsonReply(c, open, request.choices, (answer) => chatCompletion(answer, head, request.logprobs !== undefined))
    const language = languageOf(c.req.header('accept-language'))
    return streamReply(c, context, open, createChatEncoder(head, { choices: request.choices, includeUsage, language }))
  })
}
