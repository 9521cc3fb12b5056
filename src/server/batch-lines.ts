/** A line of a batch goes the way of any request: through the routes of the app itself. */
import type { Hono } from 'hono'
import type { LineReply, RunLine } from '../platform/batches-run.ts'
import type { Platform } from '../platform/platform.ts'

export function createRunLine(app: Hono): RunLine {
  return async (endpoint, body, signal) => {
    const request = new Request(`http://127.0.0.1${endpoint}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    })
    const response = await app.fetch(request)
    return { status: response.status, requestId: response.headers.get('x-request-id') ?? '', body: await bodyOf(response) }
  }
}

/** The same platform for work that nobody is waiting for. */
export function inBackground(platform: Platform): Platform {
  return { ...platform, generate: (request, signal) => platform.generate({ ...request, background: true }, signal) }
}

async function bodyOf(response: Response): Promise<LineReply['body']> {
  const json: unknown = await response.json()
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : { value: json }
}
