/** One streamed chat request against any OpenAI-compatible server, with a time stamp for each piece of text. */

export interface ChatOptions {
  messages: { role: 'system' | 'user' | 'assistant'; content: string }[]
  /** Exactly this many tokens: end-of-text tokens are ignored. */
  tokens: number
  temperature?: number
  seed?: number
  /** The field `response_format`. */
  responseFormat?: unknown
  signal?: AbortSignal
  /** Called at each piece of text with the milliseconds since the request was sent. */
  onText?(atMs: number): void
}

export interface ChatResult {
  /** When each piece of text came, ms since the request was sent. */
  stamps: number[]
  /** To the first piece of text, ms. */
  firstMs: number
  /** To the end of the stream, ms. */
  endMs: number
  promptTokens: number
  cachedTokens: number
  tokens: number
  text: string
}

interface Chunk {
  choices?: { delta?: { content?: string | null; reasoning_content?: string | null; reasoning?: string | null } }[]
  usage?: { prompt_tokens: number; completion_tokens: number; prompt_tokens_details?: { cached_tokens?: number } } | null
  error?: unknown
}

/** Throws when the server refuses, fails in mid-stream, or generates another number of tokens than asked. */
export async function chat(base: string, options: ChatOptions): Promise<ChatResult> {
  const start = performance.now()
  const response = await fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    signal: options.signal ?? null,
    body: JSON.stringify({
      model: 'default',
      stream: true,
      stream_options: { include_usage: true },
      temperature: options.temperature ?? 0,
      seed: options.seed ?? 1,
      ignore_eos: true,
      max_tokens: options.tokens,
      messages: options.messages,
      response_format: options.responseFormat,
    }),
  })
  if (!response.ok || !response.body) throw new Error(`${base}: HTTP ${response.status} ${await response.text()}`)
  const result: ChatResult = { stamps: [], firstMs: 0, endMs: 0, promptTokens: 0, cachedTokens: 0, tokens: 0, text: '' }
  for await (const chunk of serverSentData(response.body)) note(result, chunk, performance.now() - start, options)
  result.endMs = performance.now() - start
  result.firstMs = result.stamps[0] ?? result.endMs
  if (result.tokens !== options.tokens) throw new Error(`${base}: ${result.tokens} tokens instead of ${options.tokens}`)
  return result
}

function note(result: ChatResult, chunk: Chunk, atMs: number, options: ChatOptions): void {
  if (chunk.error) throw new Error(JSON.stringify(chunk.error))
  const delta = chunk.choices?.[0]?.delta
  const text = delta?.content || delta?.reasoning_content || delta?.reasoning
  if (text) {
    result.stamps.push(atMs)
    result.text += text
    options.onText?.(atMs)
  }
  if (!chunk.usage) return
  result.promptTokens = chunk.usage.prompt_tokens
  result.tokens = chunk.usage.completion_tokens
  result.cachedTokens = chunk.usage.prompt_tokens_details?.cached_tokens ?? 0
}

async function* serverSentData(body: ReadableStream<Uint8Array>): AsyncGenerator<Chunk> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true })
    const events = rest.split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      const data = event
        .split('\n')
        .find((line) => line.startsWith('data: '))
        ?.slice('data: '.length)
      if (data && data !== '[DONE]') yield JSON.parse(data) as Chunk
    }
  }
}

/** Milliseconds between neighbouring pieces of text. */
export function gaps(stamps: readonly number[]): number[] {
  return stamps.slice(1).map((stamp, index) => stamp - (stamps[index] ?? 0))
}

/** Tokens a second after the first one. */
export function decodeSpeed({ tokens, firstMs, endMs }: ChatResult): number {
  return ((tokens - 1) / (endMs - firstMs)) * 1000
}
