/** Responses, files and batches, as rows of the table of all routes. */
import { z } from 'zod'
import {
  BatchListSchema,
  BatchRequestSchema,
  BatchSchema,
  DeletedFileSchema,
  FileListSchema,
  FileSchema,
  UploadFormSchema,
} from './files-batches.ts'
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
    summary: { en: 'Answer, and keep the answer so that it can be continued', zh: '回答并保存，以便继续对话' },
    notes: {
      en:
        'Kept for 30 days unless `store` is false; `store` in the reply says whether it was. Thoughts are items of type `reasoning`, with their text in ' +
        '`content`, or in `summary` when `reasoning.summary` asks for one; `include: ["reasoning.encrypted_content"]` gives them sealed as well. With ' +
        '`background` the answer goes on without its client; a restart of the server ends it as `failed`. Function tools (`strict` is false unless given), ' +
        '`custom` tools (a grammar is told to the model, not enforced) and `namespace` groups of both; a tool that only OpenAI can run is left out and ' +
        'listed in `x-bendi-ignored` when there are others, and refused when it is alone. ' +
        '`truncation: "auto"` (or `x-bendi-truncation`) drops the oldest turns of a conversation that is too long, and `x-bendi-truncated` says ' +
        'so. The stream has no `[DONE]`: it ends with `response.completed`, `.incomplete` or `.failed`.',
      zh: '保存 30 天，除非 `store` 为 false；回复中的 `store` 说明是否已保存。思考内容是 `reasoning` 类型的条目，文本在 `content` 中；要求 `reasoning.summary` 时在 `summary` 中；`include: ["reasoning.encrypted_content"]` 还会给出加密的形式。设置 `background` 时，客户端离开后回答继续进行；服务重启会使其以 `failed` 结束。支持函数工具（`strict` 默认为 false）、`custom` 工具（语法只告知模型，不强制）以及由两者组成的 `namespace`；只有 OpenAI 能运行的工具，在还有其他工具时会被省略并列在 `x-bendi-ignored` 中，仅有它时会被拒绝。`truncation: "auto"`（或 `x-bendi-truncation`）会丢弃过长对话中最早的轮次，并在 `x-bendi-truncated` 中说明。流没有 `[DONE]`：以 `response.completed`、`.incomplete` 或 `.failed` 结束。',
    },
    body: ResponseRequestSchema,
    response: ResponseSchema,
    events: ResponseEventSchema,
  },
  {
    ...responses,
    method: 'POST',
    path: '/v1/responses/input_tokens',
    summary: { en: 'How many tokens such a request would have', zh: '这样的请求有多少 token' },
    body: ResponseRequestSchema.partial({ model: true }),
    response: InputTokensSchema,
  },
  {
    ...responses,
    method: 'GET',
    path: '/v1/responses/:id',
    summary: { en: 'A kept response', zh: '已保存的响应' },
    notes: {
      en: '`stream=true` gives the events of a background response, those after `starting_after` only.',
      zh: '`stream=true` 返回后台响应的事件；给出 `starting_after` 时只返回其后的事件。',
    },
    query: z.strictObject({ stream: z.enum(['true', 'false']).optional(), starting_after: z.string().optional() }),
    response: ResponseSchema,
    events: ResponseEventSchema,
  },
  {
    ...responses,
    method: 'DELETE',
    path: '/v1/responses/:id',
    summary: { en: 'Forget a response', zh: '删除响应' },
    response: DeletedResponseSchema,
  },
  {
    ...responses,
    method: 'POST',
    path: '/v1/responses/:id/cancel',
    summary: { en: 'Stop a background response', zh: '停止后台响应' },
    response: ResponseSchema,
  },
  {
    ...responses,
    method: 'GET',
    path: '/v1/responses/:id/input_items',
    summary: { en: 'All that the model was given, the conversation before included', zh: '模型的全部输入，包括此前的对话' },
    query: z.strictObject(page),
    response: ResponseItemListSchema,
  },
  {
    ...files,
    method: 'POST',
    path: '/v1/files',
    summary: { en: 'Upload a file', zh: '上传文件' },
    notes: {
      en: 'A form with `file`, `purpose` and, if it shall not stay for ever, `expires_after[anchor]` and `expires_after[seconds]`.',
      zh: '表单包含 `file`、`purpose`；若不需永久保存，可加 `expires_after[anchor]` 和 `expires_after[seconds]`。',
    },
    body: UploadFormSchema,
    bodyType: 'multipart/form-data',
    response: FileSchema,
  },
  {
    ...files,
    method: 'GET',
    path: '/v1/files',
    summary: { en: 'Files, the newest first', zh: '文件列表，最新的在前' },
    query: z.strictObject({ ...page, purpose: z.string().optional() }),
    response: FileListSchema,
  },
  { ...files, method: 'GET', path: '/v1/files/:id', summary: { en: 'One file', zh: '单个文件' }, response: FileSchema },
  {
    ...files,
    method: 'GET',
    path: '/v1/files/:id/content',
    summary: { en: 'What it holds', zh: '文件内容' },
    responseType: 'application/octet-stream',
  },
  {
    ...files,
    method: 'DELETE',
    path: '/v1/files/:id',
    summary: { en: 'Delete a file that no running batch reads', zh: '删除没有被批量请求读取的文件' },
    response: DeletedFileSchema,
  },
  {
    ...files,
    method: 'POST',
    path: '/v1/batches',
    summary: { en: 'Run the requests of a file when nobody else waits', zh: '在无人等待时运行文件中的请求' },
    notes: {
      en:
        'The file has a JSON value a line, `{"custom_id", "method": "POST", "url", "body"}`. A few lines run at a time, and they give way to people who ' +
        'wait. A restart goes on where it was: lines that are done are not run again.',
      zh: '文件每行一个 JSON 值，`{"custom_id", "method": "POST", "url", "body"}`。同时只运行几行，并让位给正在等待的人。服务重启后从原处继续：已完成的行不会重新运行。',
    },
    body: BatchRequestSchema,
    response: BatchSchema,
  },
  {
    ...files,
    method: 'GET',
    path: '/v1/batches',
    summary: { en: 'Batches, the newest first', zh: '批量请求列表，最新的在前' },
    query: z.strictObject({ limit: page.limit, after: page.after }),
    response: BatchListSchema,
  },
  { ...files, method: 'GET', path: '/v1/batches/:id', summary: { en: 'How far a batch is', zh: '批量请求的进度' }, response: BatchSchema },
  {
    ...files,
    method: 'POST',
    path: '/v1/batches/:id/cancel',
    summary: { en: 'Stop a batch; what was done is in its output file', zh: '停止批量请求；已完成的部分在输出文件中' },
    response: BatchSchema,
  },
]
