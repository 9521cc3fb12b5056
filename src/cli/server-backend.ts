/** A running server as the backend of a command. */
import type { Copy } from '../shared/api.ts'
import { createClient } from '../shared/client.ts'
import { AppError } from '../shared/errors.ts'
import type { Language } from '../shared/language.ts'
import type { PlanReport, RecommendReport } from '../shared/plan.ts'
import type { Backend, Follow } from './backend.ts'
import { fromChunk, toOpenAiRequest } from './chat.ts'
import type { ChatEvent } from './chat.ts'

export function serverBackend(address: string, language: Language): Backend {
  const client = createClient({ baseUrl: address, language: () => language })
  return {
    address,
    listModels: () => client.call('listModels'),
    showModel: (model) => client.call('showModel', { params: { model } }),
    removeModel: (model) => client.call('removeModel', { params: { model } }),
    startPull: (reference, wishes) => client.call('startPull', { body: { reference, ...wishes } }),
    watchPull: (id, signal) => client.events('watchPull', { params: { id }, ...(signal ? { signal } : {}) }),
    cancelPull: (id) => client.call('cancelPull', { params: { id } }),
    listFound: () => client.call('listFound'),
    diskUsage: () => client.call('diskUsage'),
    moveModel: async (model, folder, follow) => {
      const { models } = await last(client.events('moveModel', { params: { model }, body: { folder }, signal: follow.signal }), follow)
      const [moved] = models ?? []
      if (!moved) throw new AppError('connection-lost')
      return moved
    },
    exportModel: async (model, folder, follow) =>
      (await last(client.events('exportModel', { params: { model }, body: { folder }, signal: follow.signal }), follow)).folder ?? folder,
    importModels: async (folder, inPlace, follow) =>
      (await last(client.events('importModels', { body: { folder, inPlace }, signal: follow.signal }), follow)).models ?? [],
    listDeployments: () => client.call('listDeployments'),
    startDeployment: (body, signal) => client.call('startDeployment', { body, ...(signal ? { signal } : {}) }),
    stopDeployment: (model) => client.call('stopDeployment', { params: { model } }),
    plan: async (body, signal) => (await client.call('plan', { body, ...(signal ? { signal } : {}) })) as PlanReport,
    recommend: async (body) => (await client.call('plan', { body })) as RecommendReport,
    doctor: () => client.call('doctor'),
    chat: async function* (request, signal): AsyncGenerator<ChatEvent, void, undefined> {
      let reason = 'stop'
      for await (const item of client.streamChat(toOpenAiRequest(request), signal)) {
        if (item.type === 'waiting') yield item
        else {
          const step = fromChunk(item.chunk, reason)
          reason = step.reason
          yield* step.events
        }
      }
    },
    close: async () => {},
  }
}

/** Tells the events as they come, and answers the last one. Throws `connection-lost` when it does not come, `cancelled` after an abort. */
async function last(events: AsyncIterable<Copy>, { signal, onProgress }: Follow): Promise<Copy> {
  try {
    for await (const event of events) {
      onProgress(event)
      if (event.state === 'done') return event
    }
  } catch (error) {
    if (signal.aborted) throw new AppError('cancelled')
    throw error
  }
  throw new AppError('connection-lost')
}
