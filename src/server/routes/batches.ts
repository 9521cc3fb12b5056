import { Hono } from 'hono'
import { BatchRequestSchema } from '../../shared/files-batches.ts'
import { batchList, wireBatch } from '../dialects/openai-files-batches.ts'
import { compact, ignoredFields, parseBody } from '../dialects/request-fields.ts'
import { readJson } from '../json-body.ts'
import { tellIgnored, type RouteContext } from '../route-context.ts'
import { listQuery } from './list-query.ts'

/** `/v1/batches` */
export function batchRoutes({ platform, bodyLimit }: RouteContext): Hono {
  const { batches } = platform.records
  return new Hono()
    .post('/v1/batches', async (c) => {
      const asked = parseBody(BatchRequestSchema, await readJson(c, bodyLimit))
      tellIgnored(c, ignoredFields(asked, BatchRequestSchema.shape))
      const batch = await batches.create({
        inputFileId: asked.input_file_id,
        endpoint: asked.endpoint,
        completionWindow: asked.completion_window,
        ...compact({ metadata: asked.metadata, outputSeconds: asked.output_expires_after?.seconds }),
      })
      return c.json(wireBatch(batch))
    })
    .get('/v1/batches', async (c) => {
      const { limit, after } = listQuery(c, { usual: 20, highest: 100 })
      const page = await batches.list({ limit, ...(after === undefined ? {} : { after }) })
      return c.json(batchList(page.data, page.hasMore))
    })
    .get('/v1/batches/:id', async (c) => c.json(wireBatch(await batches.get(c.req.param('id')))))
    .post('/v1/batches/:id/cancel', async (c) => c.json(wireBatch(await batches.cancel(c.req.param('id')))))
}
