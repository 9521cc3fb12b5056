/** Where a command's work is done: by the running server, or by this process. The same calls for both. */
import type { Deployment, Finding, Model, Pull, StartDeployment } from '../shared/api.ts'
import type { ChatEvent, ChatRequest } from './chat.ts'

export interface Backend {
  /** The server's address; absent when this process does the work. */
  address?: string
  listModels(): Promise<Model[]>
  showModel(name: string): Promise<Model>
  removeModel(name: string): Promise<Model>
  startPull(reference: string, options: { force: boolean }): Promise<Pull>
  watchPull(id: string, signal?: AbortSignal): AsyncIterable<Pull>
  cancelPull(id: string): Promise<Pull>
  listDeployments(): Promise<Deployment[]>
  startDeployment(request: StartDeployment, signal?: AbortSignal): Promise<Deployment>
  stopDeployment(model: string): Promise<Deployment>
  doctor(): Promise<Finding[]>
  /** Ends with `end`; throws AppError when it cannot. */
  chat(request: ChatRequest, signal?: AbortSignal): AsyncIterable<ChatEvent>
  close(): Promise<void>
}
