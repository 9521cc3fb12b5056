import { Hono } from 'hono'
import { embeddingReply, parseEmbedding } from '../dialects/openai-embeddings.ts'
import { readJson } from '../json-body.ts'
import { tellIgnored, type RouteContext } from '../route-context.ts'

/** `POST /v1/embeddings` */
export function embeddingRoutes({ platform, newId, bodyLimit }: RouteContext): Hono {
  return new Hono().post('/v1/embeddings', async (c) => {
    const call = parseEmbedding(await readJson(c, bodyLimit), `embd-${newId()}`)
    tellIgnored(c, call.ignored)
    const model = await platform.resolveName(call.request.model)
    const result = await platform.embed({ ...call.request, model }, c.req.raw.signal)
    return c.json(embeddingReply(result, call, model))
  })
}
