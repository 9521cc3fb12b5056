/** The product without transport: what the server's routes and the local commands call. */
import type { Deployment, Finding, Hardware, Model, Pull, StartDeployment, Status } from '../shared/api.ts'
import type { EmbedRequest, EmbedResult, GenerateEvent, GenerateRequest, Prompt } from '../shared/generate.ts'

export interface Platform {
  status(): Promise<Status>
  hardware(): Promise<Hardware>
  doctor(): Promise<Finding[]>
  models: {
    list(): Promise<Model[]>
    /** By short name or reference. Throws `model-not-found`, naming those that exist. */
    show(name: string): Promise<Model>
    /** Throws `model-in-use`. */
    remove(name: string): Promise<Model>
  }
  pulls: {
    list(): Pull[]
    /** Joins a pull of the same reference that is already under way. Throws `invalid-reference`, `offline`. */
    start(reference: string, options?: { force?: boolean }): Pull
    /** The current state at once, then each change, ending after `done`, `failed` or `cancelled`. */
    watch(id: string, signal?: AbortSignal): AsyncIterable<Pull>
    cancel(id: string): Pull
  }
  deployments: {
    list(): Promise<Deployment[]>
    /** Starts (or restarts with other settings) and waits until it is ready. */
    start(request: StartDeployment, signal?: AbortSignal): Promise<Deployment>
    stop(model: string): Promise<Deployment>
  }
  /** Names that a request may use: deployments first, then the rest of the library. */
  modelNames(): Promise<string[]>
  /** What `default` means now, when that is known; any other name as it is. */
  resolveName(name: string): Promise<string>
  /**
   * Finds the deployment (`default` = the first), starts it when idle (telling so by `loading` events), admits and generates.
   * Ends exactly once with `finish` or `error`; never throws, except `model-not-found`, which comes before the first event.
   */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent>
  embed(request: EmbedRequest, signal?: AbortSignal): Promise<EmbedResult>
  tokenize(model: string, prompt: Prompt): Promise<number[]>
  detokenize(model: string, tokens: readonly number[]): Promise<string>
  /** True when some deployment answers. */
  ready(): boolean
  /** Drains, stops all deployments, releases the lock. Idempotent. */
  close(drainMs?: number): Promise<void>
}
