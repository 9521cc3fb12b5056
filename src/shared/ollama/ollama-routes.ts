/** Ollama's surface, as rows of the table of all routes. */
import type { Localized } from '../language.ts'
import type { WireRoute } from '../wire-route.ts'
import {
  OllamaChatChunkSchema,
  OllamaChatReplySchema,
  OllamaEmbeddingsReplySchema,
  OllamaEmbedReplySchema,
  OllamaGenerateChunkSchema,
  OllamaGenerateReplySchema,
  OllamaProgressLineSchema,
  OllamaProgressSchema,
  OllamaPsSchema,
  OllamaShowReplySchema,
  OllamaTagsSchema,
  OllamaVersionSchema,
} from './replies.ts'
import {
  OllamaChatRequestSchema,
  OllamaCopyRequestSchema,
  OllamaCreateRequestSchema,
  OllamaDeleteRequestSchema,
  OllamaEmbeddingsRequestSchema,
  OllamaEmbedRequestSchema,
  OllamaGenerateRequestSchema,
  OllamaPullRequestSchema,
  OllamaPushRequestSchema,
  OllamaShowRequestSchema,
} from './requests.ts'

const ollama = { group: 'Ollama', dialect: 'ollama' } as const
const streamed = { eventsType: 'application/x-ndjson' } as const

const EMPTY: Localized = { en: 'The reply has no body.', zh: '回复没有正文。' }
const GENERATION_NOTES: Localized = {
  en:
    'A stream of lines unless `"stream": false`. `NAME:latest` means NAME, and `hf.co/OWNER/NAME` means `hf:OWNER/NAME`. Options about loading ' +
    '(`num_ctx`, `num_gpu`, `num_thread` …) and unknown ones are listed in `x-bendi-ignored`: the planner decides, and the window grows with the prompt.',
  zh: '除非 `"stream": false`，否则逐行流式返回。`NAME:latest` 即 NAME，`hf.co/OWNER/NAME` 即 `hf:OWNER/NAME`。与加载有关的选项（`num_ctx`、`num_gpu`、`num_thread` 等）及未知选项列在 `x-bendi-ignored` 中：由方案决定，窗口随提示增大。',
}

export const ollamaRoutes: readonly WireRoute[] = [
  {
    ...ollama,
    ...streamed,
    method: 'POST',
    path: '/api/chat',
    summary: { en: 'Answer a conversation', zh: '回答对话' },
    notes: {
      en: `${GENERATION_NOTES.en} Without messages the model is loaded, or unloaded when \`keep_alive\` is 0.`,
      zh: `${GENERATION_NOTES.zh}没有消息时加载模型；\`keep_alive\` 为 0 时卸载。`,
    },
    body: OllamaChatRequestSchema,
    response: OllamaChatReplySchema,
    events: OllamaChatChunkSchema,
  },
  {
    ...ollama,
    ...streamed,
    method: 'POST',
    path: '/api/generate',
    summary: { en: 'Answer a prompt, or fill in before a `suffix`', zh: '回答提示，或在 `suffix` 之前填充' },
    notes: {
      en: `${GENERATION_NOTES.en} \`template\` is refused: send the finished prompt with \`"raw": true\`.`,
      zh: `${GENERATION_NOTES.zh}不接受 \`template\`：请用 \`"raw": true\` 发送完整的提示。`,
    },
    body: OllamaGenerateRequestSchema,
    response: OllamaGenerateReplySchema,
    events: OllamaGenerateChunkSchema,
  },
  {
    ...ollama,
    method: 'POST',
    path: '/api/embed',
    summary: { en: 'Vectors of texts', zh: '文本的向量' },
    body: OllamaEmbedRequestSchema,
    response: OllamaEmbedReplySchema,
  },
  {
    ...ollama,
    method: 'POST',
    path: '/api/embeddings',
    summary: { en: 'The vector of one text, not normalised (older form)', zh: '单个文本的向量，未归一化（旧形式）' },
    body: OllamaEmbeddingsRequestSchema,
    response: OllamaEmbeddingsReplySchema,
  },
  {
    ...ollama,
    method: 'GET',
    path: '/api/tags',
    summary: { en: 'Models of the library', zh: '模型库中的模型' },
    response: OllamaTagsSchema,
  },
  { ...ollama, method: 'GET', path: '/api/ps', summary: { en: 'Models that are loaded', zh: '已加载的模型' }, response: OllamaPsSchema },
  {
    ...ollama,
    method: 'POST',
    path: '/api/show',
    summary: { en: 'What a model is', zh: '模型信息' },
    body: OllamaShowRequestSchema,
    response: OllamaShowReplySchema,
  },
  {
    ...ollama,
    method: 'GET',
    path: '/api/version',
    summary: { en: 'The version of Ollama whose interface this is', zh: '本接口所对应的 Ollama 版本' },
    notes: { en: 'The version of bendi is in `/api/status`.', zh: 'bendi 的版本在 `/api/status` 中。' },
    response: OllamaVersionSchema,
  },
  {
    ...ollama,
    ...streamed,
    method: 'POST',
    path: '/api/pull',
    summary: { en: 'Download a model', zh: '下载模型' },
    notes: {
      en: 'Ends with the status `success`, or a line with `error`. A client that leaves cancels the download that it began; what has arrived is kept.',
      zh: '以状态 `success` 或带 `error` 的一行结束。客户端离开会取消由它开始的下载；已下载的部分会保留。',
    },
    body: OllamaPullRequestSchema,
    response: OllamaProgressSchema,
    events: OllamaProgressLineSchema,
  },
  {
    ...ollama,
    method: 'POST',
    path: '/api/push',
    summary: { en: 'Refused: nothing is published from here', zh: '不支持：不能从这里发布模型' },
    body: OllamaPushRequestSchema,
    response: OllamaProgressSchema,
  },
  {
    ...ollama,
    ...streamed,
    method: 'POST',
    path: '/api/create',
    summary: { en: 'A model from a GGUF file, or from another model', zh: '由 GGUF 文件或其他模型创建模型' },
    notes: {
      en: '`template`, `system`, `parameters`, `messages`, `adapters`, `quantize` and other fields of a Modelfile are refused by name.',
      zh: '`template`、`system`、`parameters`、`messages`、`adapters`、`quantize` 以及 Modelfile 的其他字段会指名拒绝。',
    },
    body: OllamaCreateRequestSchema,
    response: OllamaProgressSchema,
    events: OllamaProgressLineSchema,
  },
  {
    ...ollama,
    method: 'GET',
    path: '/api/blobs/:digest',
    summary: { en: 'Whether a file is here already; asked with HEAD', zh: '文件是否已在此处；用 HEAD 询问' },
    notes: {
      en: `\`:digest\` is \`sha256:\` and 64 hexadecimal digits. ${EMPTY.en}`,
      zh: `\`:digest\` 为 \`sha256:\` 加 64 位十六进制数字。${EMPTY.zh}`,
    },
  },
  {
    ...ollama,
    method: 'POST',
    path: '/api/blobs/:digest',
    summary: { en: 'Upload a file for /api/create', zh: '为 /api/create 上传文件' },
    notes: { en: `Checked against its name. ${EMPTY.en}`, zh: `内容会与其名称核对。${EMPTY.zh}` },
    bodyType: 'application/octet-stream',
  },
  {
    ...ollama,
    method: 'POST',
    path: '/api/copy',
    summary: { en: 'Another name for a model', zh: '为模型添加另一个名称' },
    notes: { en: `The files are shared, and each name can be deleted alone. ${EMPTY.en}`, zh: `文件共用，每个名称可单独删除。${EMPTY.zh}` },
    body: OllamaCopyRequestSchema,
  },
  {
    ...ollama,
    method: 'DELETE',
    path: '/api/delete',
    summary: { en: 'Delete a model', zh: '删除模型' },
    notes: { en: `A model that is loaded and idle is stopped first. ${EMPTY.en}`, zh: `已加载但空闲的模型会先停止。${EMPTY.zh}` },
    body: OllamaDeleteRequestSchema,
  },
]
