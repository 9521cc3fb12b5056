import { Hono } from 'hono'
import type { RouteContext } from '../route-context.ts'

/** `GET /health` (the process answers), `GET /ready` (a deployment answers, else 503) */
export function healthRoutes({ platform }: RouteContext): Hono {
  return new Hono()
    .get('/health', (c) => c.json({ status: 'ok' }))
    .get('/ready', (c) => (platform.ready() ? c.json({ status: 'ready' }) : c.json({ status: 'not-ready' }, 503, { 'retry-after': '1' })))
}
