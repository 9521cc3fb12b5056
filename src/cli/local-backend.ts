/** This process's own platform as the backend of a command. */
import { randomUUID } from 'node:crypto'
import type { Platform } from '../platform/platform.ts'
import { fromWireError } from '../shared/errors.ts'
import type { Backend } from './backend.ts'
import { fromGenerateEvents, toGenerateRequest } from './chat.ts'

export function localBackend(platform: Platform): Backend {
  return {
    listModels: () => platform.models.list(),
    showModel: (name) => platform.models.show(name),
    removeModel: (name) => platform.models.remove(name),
    startPull: async (reference, options) => platform.pulls.start(reference, options),
    watchPull: (id, signal) => platform.pulls.watch(id, signal),
    cancelPull: async (id) => platform.pulls.cancel(id),
    listFound: () => platform.care.found(),
    diskUsage: () => platform.care.usage(),
    moveModel: (name, folder, follow) => platform.care.move(name, folder, follow),
    exportModel: (name, folder, follow) => platform.care.exportTo(name, folder, follow),
    importModels: (folder, inPlace, follow) => platform.care.importFrom(folder, { ...follow, inPlace }),
    listDeployments: () => platform.deployments.list(),
    startDeployment: (request, signal) => platform.deployments.start(request, signal),
    stopDeployment: (model) => platform.deployments.stop(model),
    plan: (request, signal) => platform.plan(request, signal),
    recommend: (request) => platform.recommend(request),
    doctor: () => platform.doctor(),
    chat: (request, signal) => fromGenerateEvents(platform.generate(toGenerateRequest(request, randomUUID()), signal), fromWireError),
    close: () => platform.close(0),
  }
}
