import { Hono } from 'hono'
import type { Platform } from '../../platform/platform.ts'
import { AppError } from '../../shared/errors.ts'
import type { OpenAiModel, OpenAiModelList } from '../../shared/openai.ts'
import { anthropicModel, speaksAnthropic } from './anthropic.ts'
import { unixSeconds, type RouteContext } from '../route-context.ts'

/** `GET /v1/models`, `GET /v1/models/:id` (an id may hold slashes, encoded or not), in the form of the caller's own API */
export function openAiModelRoutes({ platform }: RouteContext): Hono {
  return new Hono()
    .get('/v1/models', async (c) => {
      const models = await listModels(platform)
      if (!speaksAnthropic(c)) return c.json<OpenAiModelList>({ object: 'list', data: models })
      const data = models.map(({ id, created }) => anthropicModel(id, created))
      return c.json({ data, first_id: data[0]?.id ?? null, has_more: false, last_id: data.at(-1)?.id ?? null })
    })
    .get('/v1/models/:id{.+}', async (c) => {
      const id = await platform.resolveName(c.req.param('id'))
      const models = await listModels(platform)
      const found = models.find((model) => model.id === id)
      if (!found) throw new AppError('model-not-found', { model: id, available: models.map((model) => model.id).join(', ') || '–' })
      return speaksAnthropic(c) ? c.json(anthropicModel(found.id, found.created)) : c.json<OpenAiModel>(found)
    })
}

async function listModels(platform: Platform): Promise<OpenAiModel[]> {
  const [names, library, deployments] = await Promise.all([platform.modelNames(), platform.models.list(), platform.deployments.list()])
  // A file that is used in place is in no library; its deployment's start is what is known.
  const created = new Map([
    ...deployments.map(({ model, startedAt, lastUsedAt }) => [model, startedAt ?? lastUsedAt] as const),
    ...library.map(({ name, addedAt }) => [name, addedAt] as const),
  ])
  return names.map((name) => ({ id: name, object: 'model', created: unixSeconds(created.get(name) ?? 0), owned_by: 'bendi' }))
}
