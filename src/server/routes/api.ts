/** bendi's own API, from the routes table: a handler for each row, or it does not compile. */
import { Hono, type Context } from 'hono'
import type { z } from 'zod'
import { copyEvents } from '../../platform/copy-events.ts'
import type { Platform } from '../../platform/platform.ts'
import type { Copy, Pull } from '../../shared/api.ts'
import { routes, type Route, type RouteName } from '../../shared/routes.ts'
import { parseBody } from '../dialects/request-fields.ts'
import { errorBody } from '../error-reply.ts'
import { openEventStream, streamHeaders } from '../event-stream.ts'
import { refuseHead } from '../generation-reply.ts'
import { readJson } from '../json-body.ts'
import type { RouteContext } from '../route-context.ts'
import { catalogueHandlers } from './catalogue.ts'
import { planHandlers } from './plan.ts'

type Table = typeof routes
interface Call<Name extends RouteName> {
  param(name: string): string
  body: Table[Name] extends { body: infer Schema extends z.ZodType } ? z.output<Schema> : undefined
  query: Table[Name] extends { query: infer Schema extends z.ZodType } ? z.output<Schema> : undefined
  signal: AbortSignal
}
type Result<Name extends RouteName> = Table[Name] extends { response: infer Schema extends z.ZodType }
  ? z.output<Schema> | Promise<z.output<Schema>>
  : AsyncIterable<Table[Name] extends { events: infer Schema extends z.ZodType } ? z.output<Schema> : never>
type Handlers = { [Name in RouteName]: (call: Call<Name>) => Result<Name> }

export function apiRoutes(context: RouteContext): Hono {
  const app = new Hono()
  const handlers = handlersOf(context.platform)
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name]
    const handle = handlers[name] as (call: Call<RouteName>) => unknown
    app.on(route.method, route.path, async (c) => {
      const body = route.body ? parseBody(route.body, await readJson(c, context.bodyLimit)) : undefined
      const query = route.query ? parseBody(route.query, c.req.query()) : undefined
      const call = { param: (key: string) => c.req.param(key) ?? '', body, query, signal: c.req.raw.signal } as Call<RouteName>
      return route.events ? streamProgress(c, context, handle, call) : c.json((await handle(call)) as object)
    })
  }
  return app
}

function handlersOf(platform: Platform): Handlers {
  const { models, pulls, deployments, care } = platform
  return {
    status: () => platform.status(),
    hardware: () => platform.hardware(),
    doctor: () => platform.doctor(),
    listModels: () => models.list(),
    showModel: ({ param }) => models.show(param('model')),
    removeModel: ({ param }) => models.remove(param('model')),
    ...catalogueHandlers,
    ...planHandlers(platform),
    listPulls: () => pulls.list(),
    startPull: ({ body: { reference, ...wishes } }) => pulls.start(reference, wishes),
    watchPull: ({ param, signal }) => pulls.watch(param('id'), signal),
    cancelPull: ({ param }) => pulls.cancel(param('id')),
    pausePull: ({ param }) => pulls.pause(param('id')),
    resumePull: ({ param }) => pulls.resume(param('id')),
    listFound: () => care.found(),
    diskUsage: () => care.usage(),
    moveModel: ({ param, body, signal }) =>
      copyEvents(signal, async (options) => ({ models: [await care.move(param('model'), body.folder, options)] })),
    exportModel: ({ param, body, signal }) =>
      copyEvents(signal, async (options) => ({ folder: await care.exportTo(param('model'), body.folder, options) })),
    importModels: ({ body: { folder, inPlace = false }, signal }) =>
      copyEvents(signal, async (options) => ({ models: await care.importFrom(folder, { ...options, inPlace }) })),
    listDeployments: () => deployments.list(),
    startDeployment: ({ body, signal }) => deployments.start(body, signal),
    stopDeployment: ({ param }) => deployments.stop(param('model')),
    closeThought: async ({ param }) => ({ closed: await platform.closeThought(param('id')) }),
  }
}

/** Of a download, or of a copy between disks. */
type Progress = Pull | Copy

const ENDS: ReadonlySet<Progress['state']> = new Set(['done', 'failed', 'cancelled'])

/** Progress until it ends. A slow reader gets only the newest state. */
async function streamProgress(
  c: Context,
  { timing, logger }: RouteContext,
  handle: (call: Call<RouteName>) => unknown,
  call: Call<RouteName>,
): Promise<Response> {
  refuseHead(c)
  const body = await openEventStream<Progress>(
    {
      open: (signal) => handle({ ...call, signal }) as AsyncIterable<Progress>,
      merge: (pending, pull) => void pending.splice(0, pending.length, pull),
      isWaiting: () => false,
      errorOf: () => undefined,
      isLast: (pull) => ENDS.has(pull.state),
      encode: (pull) => `data: ${JSON.stringify(pull)}\n\n`,
      encodeError: (error) => `data: ${JSON.stringify(errorBody(c, error))}\n\n`,
      encodeEnd: () => '',
    },
    { timing, clientGone: c.req.raw.signal, onFailure: (error) => logger.error('a stream broke', { path: c.req.path, error }) },
  )
  return c.body(body, 200, streamHeaders(c))
}
