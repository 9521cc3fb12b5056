import { Hono } from 'hono'
import { AppError } from '../../shared/errors.ts'
import type { ApplyTemplateReply, CloseThoughtReply, DetokenizeReply } from '../../shared/openai/tokens.ts'
import { createInfillEncoder, infillReply, parseInfill } from '../dialects/infill.ts'
import { parseRerank, rerankReply } from '../dialects/rerank.ts'
import { parseApplyTemplate, parseDetokenize, parseTokenize, tokenizeReply } from '../dialects/tokens.ts'
import { languageOf } from '../error-reply.ts'
import { jsonReply, streamReply } from '../generation-reply.ts'
import { readJson } from '../json-body.ts'
import { tellIgnored, type RouteContext } from '../route-context.ts'

/** Each piece is a call to the engine. */
const MAX_PIECES = 8192

/** `/tokenize`, `/detokenize`, `/apply-template`, `POST /v1/requests/:id/close-thought` */
export function tokenRoutes({ platform, bodyLimit }: RouteContext): Hono {
  return new Hono()
    .post('/tokenize', async (c) => {
      const { model, text, withPieces, ignored } = parseTokenize(await readJson(c, bodyLimit))
      tellIgnored(c, ignored)
      const tokens = await platform.tokenize(model, { type: 'text', text })
      if (withPieces && tokens.length > MAX_PIECES) {
        throw new AppError('invalid-field', {
          field: 'with_pieces',
          reason: `the text has ${tokens.length} tokens, more than ${MAX_PIECES}`,
        })
      }
      const pieces = withPieces ? await Promise.all(tokens.map((token) => platform.detokenize(model, [token]))) : undefined
      return c.json(tokenizeReply(tokens, pieces))
    })
    .post('/detokenize', async (c) => {
      const { model, tokens, ignored } = parseDetokenize(await readJson(c, bodyLimit))
      tellIgnored(c, ignored)
      return c.json<DetokenizeReply>({ content: await platform.detokenize(model, tokens) })
    })
    .post('/apply-template', async (c) => {
      const { model, prompt, ignored } = parseApplyTemplate(await readJson(c, bodyLimit))
      tellIgnored(c, ignored)
      return c.json<ApplyTemplateReply>({ prompt: await platform.render(model, prompt) })
    })
    .post('/v1/requests/:id/close-thought', async (c) => {
      const id = c.req.param('id')
      return c.json<CloseThoughtReply>({ id, object: 'request.close_thought', closed: await platform.closeThought(id) })
    })
}

/** `POST /infill` */
export function infillRoutes(context: RouteContext): Hono {
  const { platform, bodyLimit, newId } = context
  return new Hono().post('/infill', async (c) => {
    const { request: asked, stream, ignored } = parseInfill(await readJson(c, bodyLimit), `infill-${newId()}`)
    tellIgnored(c, ignored)
    const request = { ...asked, model: await platform.resolveName(asked.model) }
    const open = (signal: AbortSignal): ReturnType<typeof platform.generate> => platform.generate(request, signal)
    if (!stream) return jsonReply(c, open, 1, (answer) => infillReply(answer, request.model))
    return streamReply(c, context, open, createInfillEncoder(request.model, languageOf(c.req.header('accept-language'))))
  })
}

/** `POST /v1/rerank` and its other names */
export function rerankRoutes({ platform, bodyLimit, newId }: RouteContext): Hono {
  return new Hono().on('POST', ['/v1/rerank', '/v1/reranking', '/rerank', '/v2/rerank'], async (c) => {
    const call = parseRerank(await readJson(c, bodyLimit), `rerank-${newId()}`)
    tellIgnored(c, call.ignored)
    const model = await platform.resolveName(call.request.model)
    const result = await platform.rerank({ ...call.request, model }, c.req.raw.signal)
    return c.json(rerankReply(result, call, model))
  })
}
