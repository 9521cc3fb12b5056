/** Responses, files and batches, as rows of the table of all routes. */
import { z } from 'zod'
import { BatchListSchema, BatchRequestSchema, BatchSchema, DeletedFileSchema, FileListSchema, FileSchema } from './files-batches.ts'
import { ResponseEventSchema } from './response-events.ts'
import { DeletedResponseSchema, InputTokensSchema, ResponseItemListSchema, ResponseRequestSchema, ResponseSchema } from './responses.ts'
import type { WireRoute } from './wire-route.ts'

const responses = { group: 'Responses', dialect: 'openai' } as const
const files = { group: 'Files and batches', dialect: 'openai' } as const
const page = { limit: z.string().optional(), order: z.enum(['asc', 'desc']).optional(), after: z.string().optional() }

export const recordRoutes: readonly WireRoute[] = [
  {
    ...responses,
    method: 'POST',
    path: '/v1/responses',
    summary: 'Answer, and keep the answer so that it can be continued',
    notes:
      'Kept for 30 days unless `store` is false; `store` in the reply says whether it was. Thoughts are items of type `reasoning`, with their text in ' +
      '`content`, or in `summary` when `reasoning.summary` asks for one; `include: ["reasoning.encrypted_content"]` gives them sealed as well. With ' +
      '`background` the answer goes on without its client; a restart of the server ends it as `failed`. Function tools only; `strict` is false unless given. ' +
      'The stream has no `[DONE]`: it ends with `response.completed`, `.incomplete` or `.failed`.',
    body: ResponseRequestSchema,
    response: ResponseSchema,
    events: ResponseEventSchema,
  },
  {
    ...responses,
    method: 'POST',
    path: '/v1/responses/input_tokens',
    summary: 'How many tokens such a request would have',
    body: ResponseRequestSchema.partial({ model: true }),
    response: InputTokensSchema,
  },
  {
    ...responses,
    method: 'GET',
    path: '/v1/responses/:id',
    summary: 'A kept response',
    notes: '`stream=true` gives the events of a background response, those after `starting_after` only.',
    query: z.strictObject({ stream: z.enum(['true', 'false']).optional(), starting_after: z.string().optional() }),
    response: ResponseSchema,
    events: ResponseEventSchema,
  },
  { ...responses, method: 'DELETE', path: '/v1/responses/:id', summary: 'Forget a response', response: DeletedResponseSchema },
  { ...responses, method: 'POST', path: '/v1/responses/:id/cancel', summary: 'Stop a background response', response: ResponseSchema },
  {
    ...responses,
    method: 'GET',
    path: '/v1/responses/:id/input_items',
    summary: 'All that the model was given, the conversation before included',
    query: z.strictObject(page),
    response: ResponseItemListSchema,
  },
  {
    ...files,
    method: 'POST',
    path: '/v1/files',
    summary: 'Upload a file',
    notes: 'A form with `file`, `purpose` and, if it shall not stay for ever, `expires_after[anchor]` and `expires_after[seconds]`.',
    bodyType: 'multipart/form-data',
    response: FileSchema,
  },
  {
    ...files,
    method: 'GET',
    path: '/v1/files',
    summary: 'Files, the newest first',
    query: z.strictObject({ ...page, purpose: z.string().optional() }),
    response: FileListSchema,
  },
  { ...files, method: 'GET', path: '/v1/files/:id', summary: 'One file', response: FileSchema },
  { ...files, method: 'GET', path: '/v1/files/:id/content', summary: 'What it holds', responseType: 'application/octet-stream' },
  { ...files, method: 'DELETE', path: '/v1/files/:id', summary: 'Delete a file that no running batch reads', response: DeletedFileSchema },
  {
    ...files,
    method: 'POST',
    path: '/v1/batches',
    summary: 'Run the requests of a file when nobody else waits',
    notes:
      'The file has a JSON value a line, `{"custom_id", "method": "POST", "url", "body"}`. A few lines run at a time, and they give way to people who ' +
      'wait. A restart goes on where it was: lines that are done are not run again.',
    body: BatchRequestSchema,
    response: BatchSchema,
  },
  {
    ...files,
    method: 'GET',
    path: '/v1/batches',
    summary: 'Batches, the newest first',
    query: z.strictObject({ limit: page.limit, after: page.after }),
    response: BatchListSchema,
  },
  { ...files, method: 'GET', path: '/v1/batches/:id', summary: 'How far a batch is', response: BatchSchema },
  {
    ...files,
    method: 'POST',
    path: '/v1/batches/:id/cancel',
    summary: 'Stop a batch; what was done is in its output file',
    response: BatchSchema,
  },
]
