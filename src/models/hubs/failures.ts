/** Turns a hub's answer into the error that a user can act on, and retries what is worth it. */
import { delay } from '../../base/async.ts'
import { HttpFailure } from '../../base/http.ts'
import type { HttpResponse } from '../../base/http.ts'
import { AppError } from '../../shared/errors.ts'
import type { SourceContext } from './source.ts'

/** Who asks us to wait longer is not waited for: another source may answer, and a person should hear why. */
const MAX_RETRY_AFTER_MS = 10_000

/** The source cannot be reached, or does not have it: another one may. Everything else is final. */
export class SourceMiss extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SourceMiss'
  }
}

/**
 * GETs JSON or text from a hub. 429 and 5xx are tried three times with growing pauses, as `Retry-After` asks.
 * Throws `gated-model` for 401 and 403, and SourceMiss for the rest.
 */
export async function askHub(
  context: SourceContext,
  request: { url: string; repository: string; headers?: Readonly<Record<string, string>>; attempts?: number; pauseMs?: number },
): Promise<HttpResponse> {
  const { url, repository, headers = {}, attempts = 3, pauseMs = 300 } = request
  const host = new URL(url).host
  for (let attempt = 1; ; attempt += 1) {
    const response = await reach(context, url, headers)
    if (response.status === 200) return response
    const asked = askedWaitMs(response.status, response.headers)
    const retryMs = asked ?? pauseMs * 2 ** (attempt - 1)
    const [code, message] = [response.headers.get('x-error-code'), response.headers.get('x-error-message')]
    await response.discard()
    if (isTemporary(response.status) && attempt < attempts && retryMs <= MAX_RETRY_AFTER_MS) {
      context.logger.debug('source asks to wait', { host, status: response.status, retryMs })
      await delay(retryMs, context.signal)
      continue
    }
    if (isBadToken(response.status, message)) throw new SourceMiss(`${host} does not accept the access token; renew it, or unset HF_TOKEN`)
    if (isGated(response.status, code)) throw new AppError('gated-model', { repository })
    if (response.status === 401) throw new SourceMiss(`${host} does not have ${repository}, or it is private`)
    throw new SourceMiss(response.status === 404 ? `${host} does not have ${repository}` : refusalText(host, response.status, asked))
  }
}

function refusalText(host: string, status: number, waitMs: number | undefined): string {
  return waitMs === undefined ? `${host} answered ${status}` : `${host} answered ${status} and asks to wait ${Math.ceil(waitMs / 1000)} s`
}

export function isTemporary(status: number): boolean {
  return status === 429 || status === 408 || status >= 500
}

/** As `Retry-After` says, or Hugging Face's `RateLimit: "api";r=0;t=55` (https://huggingface.co/docs/hub/rate-limits), ms. */
export function askedWaitMs(status: number, headers: Headers): number | undefined {
  // It stands on every answer, and says when one may ask again only where the limit is reached.
  const window = status === 429 ? /;\s*t=(\d{1,6})/.exec(headers.get('ratelimit') ?? '')?.[1] : undefined
  return retryAfterMs(headers.get('retry-after')) ?? (window === undefined ? undefined : Number(window) * 1000)
}

/** Seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(value: string | null, now: number = Date.now()): number | undefined {
  if (value === null || value.trim() === '') return undefined
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Hugging Face answers so whatever was asked for, public repositories too, when a token is sent that it does not know (any more). */
function isBadToken(status: number, message: string | null): boolean {
  return status === 401 && /^invalid credentials/i.test(message ?? '')
}

/** Hugging Face answers 401 with `RepoNotFound` for private and for missing repositories alike. */
function isGated(status: number, code: string | null): boolean {
  if (status === 403) return true
  return status === 401 && code !== 'RepoNotFound'
}

async function reach(context: SourceContext, url: string, headers: Readonly<Record<string, string>>): Promise<HttpResponse> {
  try {
    return await context.http.request(url, { headers, ...(context.signal ? { signal: context.signal } : {}) })
  } catch (error) {
    context.signal?.throwIfAborted()
    if (error instanceof HttpFailure) throw new SourceMiss(error.message, { cause: error })
    throw error
  }
}
