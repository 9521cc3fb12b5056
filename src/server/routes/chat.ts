import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { chatCompletion } from '../dialects/openai-chat-reply.ts'
import { createChatEncoder } from '../dialects/openai-chat-stream.ts'
import { parseChat } from '../dialects/openai-chat.ts'
import type { ReplyHead } from '../dialects/openai-reply.ts'
import { languageOf } from '../error-reply.ts'
import { jsonReply, streamReply } from '../generation-reply.ts'
import { readJson } from '../json-body.ts'
import { fingerprintOf, tellIgnored, unixSeconds, type RouteContext } from '../route-context.ts'

/** `POST /v1/chat/completions` */
export function chatRoutes(context: RouteContext): Hono {
  const { platform, version, now, newId, bodyLimit } = context
  return new Hono().post('/v1/chat/completions', async (c) => {
    const headers = { reasoning: c.req.header('x-bendi-reasoning'), truncation: c.req.header('x-bendi-truncation') }
    const call = parseChat(await readJson(c, bodyLimit), `chatcmpl-${newId()}`, headers)
    const { shape, includeUsage } = call
    tellIgnored(c, call.ignored)
    const request = { ...call.request, model: await platform.resolveName(call.request.model) }
    const head: ReplyHead = { id: request.id, created: unixSeconds(now()), model: request.model, fingerprint: fingerprintOf(version) }
    const open = (signal: AbortSignal): ReturnType<typeof platform.generate> => platform.generate(request, signal)
    if (!call.stream) return jsonReply(c, open, request.choices, (answer) => chatCompletion(answer, head, shape))
    const language = languageOf(c.req.header('accept-language'))
    const noise = call.obfuscate ? { noise: randomText } : {}
    return streamReply(c, context, open, createChatEncoder(head, { choices: request.choices, includeUsage, shape, language, ...noise }))
  })
}

function randomText(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length)
}
