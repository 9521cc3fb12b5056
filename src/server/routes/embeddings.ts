import { Hono } from 'hono'
import { embeddingReply, isMatryoshka, parseEmbedding } from '../dialects/openai-embeddings.ts'
import type { Platform } from '../../platform/platform.ts'
import { readJson } from '../json-body.ts'
import { tellIgnored, type RouteContext } from '../route-context.ts'

/** `POST /v1/embeddings` */
export function embeddingRoutes({ platform, newId, bodyLimit }: RouteContext): Hono {
  return new Hono().post('/v1/embeddings', async (c) => {
    const call = parseEmbedding(await readJson(c, bodyLimit), `embd-${newId()}`)
    tellIgnored(c, call.ignored)
    const model = await platform.resolveName(call.request.model)
    const result = await platform.embed({ ...call.request, model }, c.req.raw.signal)
    const matryoshka = call.dimensions !== undefined && isMatryoshka(await namesOf(model, platform))
    return c.json(embeddingReply(result, call, { name: model, matryoshka }))
  })
}

/** A file that is used in place is in no library: then its own name must do. */
async function namesOf(name: string, platform: Platform): Promise<string[]> {
  const model = (await platform.models.list()).find((one) => one.name === name)
  return model ? [name, model.title, model.reference, model.source] : [name]
}
