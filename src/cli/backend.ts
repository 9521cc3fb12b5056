/** Where a command's work is done: by the running server, or by this process. The same calls for both. */
import type { Copy, Deployment, DiskUsage, Finding, FoundModel, Model, Pull, StartDeployment, StartPull } from '../shared/api.ts'
import type { PlanReport, PlanRequest, RecommendReport, RecommendRequest } from '../shared/plan.ts'
import type { ChatEvent, ChatRequest } from './chat.ts'

/** Aborting ends the work; what was copied is gone on with next time. */
export interface Follow {
  signal: AbortSignal
  onProgress(progress: Copy): void
}

export interface Backend {
  /** The server's address; absent when this process does the work. */
  address?: string
  listModels(): Promise<Model[]>
  showModel(name: string): Promise<Model>
  removeModel(name: string): Promise<Model>
  startPull(reference: string, options: Omit<StartPull, 'reference'>): Promise<Pull>
  watchPull(id: string, signal?: AbortSignal): AsyncIterable<Pull>
  cancelPull(id: string): Promise<Pull>
  listFound(): Promise<FoundModel[]>
  diskUsage(): Promise<DiskUsage>
  moveModel(name: string, folder: string, follow: Follow): Promise<Model>
  exportModel(name: string, folder: string, follow: Follow): Promise<string>
  importModels(folder: string, inPlace: boolean, follow: Follow): Promise<Model[]>
  listDeployments(): Promise<Deployment[]>
  startDeployment(request: StartDeployment, signal?: AbortSignal): Promise<Deployment>
  stopDeployment(model: string): Promise<Deployment>
  plan(request: PlanRequest, signal?: AbortSignal): Promise<PlanReport>
  recommend(request: RecommendRequest): Promise<RecommendReport>
  doctor(): Promise<Finding[]>
  /** Ends with `end`; throws AppError when it cannot. */
  chat(request: ChatRequest, signal?: AbortSignal): AsyncIterable<ChatEvent>
  close(): Promise<void>
}
