/** What the routes are given. */
import type { Context } from 'hono'
import type { Logger } from '../base/logger.ts'
import type { Platform } from '../platform/platform.ts'
import type { StreamTiming } from './event-stream.ts'

export interface RouteContext {
  platform: Platform
  logger: Logger
  version: string
  timing: StreamTiming
  /** Bytes of a request's body at most. */
  bodyLimit: number
  /** Milliseconds since 1970. */
  now(): number
  /** 32 hexadecimal digits, different every time. */
  newId(): string
}

/** Says which fields of the request had no effect. Names come from outside, so only harmless characters get into the header. */
export function tellIgnored(c: Context, fields: readonly string[]): void {
  if (fields.length === 0) return
  c.header(
    'x-bendi-ignored',
    fields
      .slice(0, 32)
      .map((field) => field.slice(0, 64).replace(/[^\w.[\]-]/g, '?'))
      .join(', '),
  )
}

/** Seconds, as OpenAI tells time. */
export function unixSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}

export function fingerprintOf(version: string): string {
  return `bendi-${version}`
}
