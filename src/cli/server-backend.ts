/** A running server as the backend of a command. */
import { createClient } from '../shared/client.ts'
import type { Language } from '../shared/language.ts'
import type { PlanReport, RecommendReport } from '../shared/plan.ts'
import type { Backend } from './backend.ts'
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
    moveModel: (model, folder) => client.call('moveModel', { params: { model }, body: { folder } }),
    exportModel: async (model, folder) => (await client.call('exportModel', { params: { model }, body: { folder } })).folder,
    importModels: (folder, inPlace) => client.call('importModels', { body: { folder, inPlace } }),
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
