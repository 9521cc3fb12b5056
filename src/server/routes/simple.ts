import { Hono } from 'hono'
import { createSimpleEncoder, parseSimple, parseSimpleQuery, simpleReply } from '../dialects/simple-generate.ts'
import { languageOf } from '../error-reply.ts'
import { jsonReply, refuseHead, streamReply } from '../generation-reply.ts'
import { readJson } from '../json-body.ts'
import { tellIgnored, type RouteContext } from '../route-context.ts'

/** `GET /stream-generate`, `POST /generate` */
export function simpleRoutes(context: RouteContext): Hono {
  const { platform, newId, bodyLimit } = context
  return new Hono()
    .get('/stream-generate', async (c) => {
      refuseHead(c)
      // An EventSource that connects again after the end: 204 tells it to stop.
      if (c.req.header('last-event-id')) return c.body(null, 204)
      const { request, ignored } = parseSimpleQuery(c.req.query(), `simple-${newId()}`)
      tellIgnored(c, ignored)
      const encoder = createSimpleEncoder(languageOf(c.req.header('accept-language')))
      return streamReply(c, context, (signal) => platform.generate(request, signal), encoder)
    })
    .post('/generate', async (c) => {
      const { request, ignored } = parseSimple(await readJson(c, bodyLimit), `simple-${newId()}`)
      tellIgnored(c, ignored)
      return jsonReply(c, (signal) => platform.generate(request, signal), 1, simpleReply)
    })
}
