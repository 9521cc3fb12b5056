/** The product without transport: what the server's routes and the local commands call. */
import type {
  Deployment,
  DiskUsage,
  Finding,
  FoundModel,
  Hardware,
  Model,
  Pull,
  StartDeployment,
  Status,
  Verification,
} from '../shared/api.ts'
import type { FileReport } from '../shared/file-report.ts'
import type { EmbedRequest, EmbedResult, GenerateEvent, GenerateRequest, Prompt, RerankRequest, RerankResult } from '../shared/generate.ts'
import type { Planning } from './plan.ts'
import type { Records } from './records.ts'

import type { CopyOptions } from '../models/copy-files.ts'
import type { Upload, VerifyProgress } from './library-care.ts'
import type { PullWishes } from './pulls.ts'

/** With `plan` and `recommend`: what would fit, before anything is downloaded. */
export interface Platform extends Planning {
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
    start(reference: string, options?: PullWishes): Pull
    /** The current state at once, then each change, ending after `done`, `failed` or `cancelled`. */
    watch(id: string, signal?: AbortSignal): AsyncIterable<Pull>
    cancel(id: string): Pull
    /** Stops for now; its watchers stay. */
    pause(id: string): Pull
    resume(id: string): Pull
  }
  care: {
    /** In the stores of other programs. */
    found(): Promise<FoundModel[]>
    usage(): Promise<DiskUsage>
    /** Throws `model-not-found`. */
    verify(name: string, options?: { signal?: AbortSignal; onProgress?: (progress: VerifyProgress) => void }): Promise<Verification>
    /** Throws `model-not-found`, `model-in-use`, `disk-full`. */
    move(name: string, folder: string, options?: CopyOptions): Promise<Model>
    exportTo(name: string, folder: string, options?: CopyOptions): Promise<string>
    importFrom(folder: string, options: CopyOptions & { inPlace: boolean }): Promise<Model[]>
    /** For other bendi servers; undefined when sharing is off or nobody has it. */
    sharedFile(sha256: string): Promise<{ path: string; bytes: number } | undefined>
    sharedModels(): Promise<Model[]>
    /** Everything that the model's file says of itself. Throws `model-not-found`, `invalid-model-file`. */
    report(name: string): Promise<FileReport>
    /** Another name for a model; what had that name is replaced. Throws `model-not-found`, `model-in-use`, `invalid-reference`. */
    copy(name: string, newName: string, options?: { license?: string }): Promise<Model>
    /** Whether a file of this hash was uploaded, or is in the library. */
    hasUpload(sha256: string): Promise<boolean>
    /** Throws `checksum-mismatch`, `disk-full`, `cancelled`. */
    upload(sha256: string, content: Upload): Promise<void>
    /** A model of uploaded GGUF files. Throws `file-not-found`, `invalid-model-file`, `invalid-reference`, `model-in-use`. */
    createFrom(files: readonly { name: string; sha256: string }[], name: string, options?: { license?: string }): Promise<Model>
    readonly isShared: boolean
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
  /** The text that the model would read for this prompt. */
  render(model: string, prompt: Prompt): Promise<string>
  /** Closes the thoughts of a running request, so that its answer begins. False when it is not running, or not thinking. */
  closeThought(requestId: string): Promise<boolean>
  rerank(request: RerankRequest, signal?: AbortSignal): Promise<RerankResult>
  /** What outlasts a request: responses, files, batches. */
  records: Records
  /** True when some deployment answers. */
  ready(): boolean
  /** Drains, stops all deployments, releases the lock. Idempotent. */
  close(drainMs?: number): Promise<void>
}
