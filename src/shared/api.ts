/** Bodies of bendi's own API (`/api`). Bytes are bytes, times are ms since 1970, durations ms. */
import { z } from 'zod'

const bytes = z.number().int().nonnegative()
const count = z.number().int().nonnegative()

export const WireErrorSchema = z.strictObject({
  code: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
  message: z.string(),
})

export { FindingSchema, GpuSchema, HardwareSchema } from './hardware.ts'
export type { Finding, Gpu, Hardware } from './hardware.ts'

export const ModelSchema = z.strictObject({
  /** How requests name it: a short name or a reference. */
  name: z.string(),
  reference: z.string(),
  /** What it really is, e.g. `DeepSeek-R1-Distill-Qwen-1.5B`. */
  title: z.string(),
  architecture: z.string(),
  quantization: z.string(),
  parameters: count,
  bytes,
  trainedContext: count,
  license: z.string().optional(),
  source: z.string(),
  revision: z.string().optional(),
  files: z.array(z.strictObject({ path: z.string(), bytes, sha256: z.string().optional() })),
  addedAt: z.number(),
  /** The folder of models that it lies in, when that is not the library's own. */
  folder: z.string().optional(),
})
export type Model = z.infer<typeof ModelSchema>

export const DEPLOYMENT_STATES = ['stopped', 'starting', 'ready', 'draining', 'failed'] as const
export const DeploymentSchema = z.strictObject({
  model: z.string(),
  engine: z.string(),
  state: z.enum(DEPLOYMENT_STATES),
  /** Why it failed. */
  error: WireErrorSchema.optional(),
  startedAt: z.number().optional(),
  lastUsedAt: z.number().optional(),
  /** When it will be unloaded if nobody uses it; absent = never. */
  expiresAt: z.number().optional(),
  pid: z.number().int().optional(),
  info: z
    .strictObject({
      kernel: z.string().optional(),
      context: count,
      largestContext: count,
      parallel: count,
      kvLayout: z.enum(['unified', 'split']).optional(),
      memory: z.strictObject({ weights: bytes, kv: bytes, compute: bytes }),
      loadMs: z.number(),
    })
    .optional(),
  running: count,
  waiting: count,
})
export type Deployment = z.infer<typeof DeploymentSchema>
export type DeploymentState = Deployment['state']

export const PULL_STATES = ['waiting', 'resolving', 'downloading', 'verifying', 'paused', 'done', 'failed', 'cancelled'] as const
export const PullSchema = z.strictObject({
  id: z.string(),
  reference: z.string(),
  state: z.enum(PULL_STATES),
  /** Which source answers, e.g. `hf-mirror`. */
  source: z.string().optional(),
  file: z.string().optional(),
  doneBytes: bytes,
  /** 0 until it is known. */
  totalBytes: bytes,
  bytesPerSecond: z.number(),
  /** At the present speed; absent while it is not known. */
  etaSeconds: z.number().optional(),
  /** Each file of several. */
  files: z.array(z.strictObject({ path: z.string(), doneBytes: bytes, totalBytes: bytes })).optional(),
  /** Connections now. */
  connections: count.optional(),
  /** Which quantisation was chosen, and why. */
  choice: z.strictObject({ en: z.string(), zh: z.string() }).optional(),
  /** Why it is slow: the last trouble of a source. */
  notice: z.strictObject({ en: z.string(), zh: z.string() }).optional(),
  error: WireErrorSchema.optional(),
  model: ModelSchema.optional(),
})
/** A download, as its progress events and its final state. */
export type Pull = z.infer<typeof PullSchema>

export const StatusSchema = z.strictObject({
  name: z.literal('bendi'),
  version: z.string(),
  pid: z.number().int(),
  startedAt: z.number(),
  home: z.string(),
  /** The deployment that `"model": "default"` means. */
  defaultModel: z.string().optional(),
})
export type Status = z.infer<typeof StatusSchema>

export const StartDeploymentSchema = z.strictObject({
  model: z.string(),
  context: z.number().int().min(64).optional(),
  parallel: z.number().int().min(1).max(64).optional(),
  /** Seconds; -1 = for ever. */
  keepAlive: z.number().min(-1).optional(),
})
export type StartDeployment = z.infer<typeof StartDeploymentSchema>

const localized = z.strictObject({ en: z.string(), zh: z.string() })

/** One repository with original weights, as the catalogue lists it. */
export const CatalogueItemSchema = z.strictObject({
  id: z.string(),
  /** `owner/name` on the hubs. */
  repository: z.string(),
  family: z.string(),
  /** `2025-01` or `2025-01-20`. */
  released: z.string(),
  use: z.string(),
  tasks: z.array(z.string()),
  /** As published, e.g. `671B`. */
  parameters: z.string(),
  activated: z.string().optional(),
  context: count.optional(),
  license: localized,
  commercial: z.enum(['yes', 'conditions', 'check']),
  /** Of the smallest usual file (about 4 bits), or of the published weights; about. */
  downloadBytes: bytes.optional(),
  llamaCpp: z.enum(['yes', 'partly', 'fork', 'no']),
  /** What `bendi pull` accepts for it. */
  shortNames: z.array(z.string()),
  /** Whether the numbers were seen in a source. */
  verified: z.boolean(),
  /** What it really is. */
  summary: localized,
})
export type CatalogueItem = z.infer<typeof CatalogueItemSchema>

export const NameMeaningSchema = z.strictObject({ part: z.string(), text: z.string(), meaning: localized })

export const CatalogueModelSchema = CatalogueItemSchema.extend({
  base: z.string().optional(),
  architecture: z.string(),
  modality: z.string(),
  exactParameters: count.optional(),
  /** config.json, by its own names. */
  shape: z.record(z.string(), z.unknown()).optional(),
  weights: z.strictObject({ format: z.string(), bytes: bytes.optional() }),
  /** `bytesPerToken`: f16, one sequence. */
  kv: z.strictObject({ scheme: z.string(), bytesPerToken: count.optional() }).optional(),
  sampling: z.strictObject({ temperature: z.number().optional(), topP: z.number().optional() }),
  systemPrompt: z.enum(['yes', 'no', 'discouraged', 'unknown']),
  engines: z.array(z.strictObject({ engine: z.string(), supported: z.enum(['yes', 'partly', 'no']), note: localized.optional() })),
  /** Repositories with GGUF files. */
  gguf: z.array(z.string()),
  /** What `bendi pull` takes when the asked name is a short name; it need not be this model: `deepseek-r1` is a distill. */
  pullMeans: z.strictObject({ name: z.string(), repository: z.string(), description: localized }).optional(),
  /** What each piece of its name means. */
  name: z.array(NameMeaningSchema),
  /** Lineage, parameters, licence, advice, … in sentences. */
  explanations: z.array(z.strictObject({ topic: z.string(), text: localized })),
})
/** Everything that the catalogue knows of one repository. */
export type CatalogueModelDetail = z.infer<typeof CatalogueModelSchema>

export const CatalogueQuerySchema = z.strictObject({
  /** Words that must all occur. */
  q: z.string().max(256).optional(),
  family: z.string().max(256).optional(),
  task: z.string().max(256).optional(),
  /** `8B` (parameters) or `10GB`, `10GiB` (download). */
  maxSize: z.string().max(64).optional(),
})
export type CatalogueQuery = z.infer<typeof CatalogueQuerySchema>

export const CatalogueAnswerSchema = z.strictObject({
  models: z.array(CatalogueItemSchema),
  /** When nothing matches and the words look like a model's name: what its pieces mean. */
  name: z.array(NameMeaningSchema).optional(),
  /** Names that are near, when nothing matches. */
  suggestions: z.array(z.string()).optional(),
})
export type CatalogueAnswer = z.infer<typeof CatalogueAnswerSchema>

export const StartPullSchema = z.strictObject({
  reference: z.string(),
  force: z.boolean().optional(),
  /** Only files whose path matches one of these patterns (`*`, `**`, `?`). */
  include: z.array(z.string().max(512)).max(64).optional(),
  exclude: z.array(z.string().max(512)).max(64).optional(),
  /** A folder of models on another disk. */
  to: z.string().max(4096).optional(),
  /** Of this download alone, bytes a second; the server's own limit holds as well. */
  limitRate: z.number().int().min(1).optional(),
  /** Tokens that one request shall have: without a quantisation in the reference, one is chosen that leaves room for them. */
  context: z.number().int().min(64).max(16_777_216).optional(),
})
export type StartPull = z.infer<typeof StartPullSchema>

/** A move, export or import as it goes; the last event is `done`. */
export const CopySchema = z.strictObject({
  state: z.enum(['copying', 'verifying', 'done']),
  file: z.string().optional(),
  doneBytes: bytes,
  totalBytes: bytes,
  bytesPerSecond: z.number(),
  /** At the present speed; absent while it is not known. */
  etaSeconds: z.number().optional(),
  /** With `done`: what was moved or imported. */
  models: z.array(ModelSchema).optional(),
  /** With `done`: what was exported lies here. */
  folder: z.string().optional(),
})
export type Copy = z.infer<typeof CopySchema>

export const FolderSchema = z.strictObject({ folder: z.string().min(1).max(4096), inPlace: z.boolean().optional() })

/** A model that another program's store has; `bendi pull` links it instead of downloading it. */
export const FoundModelSchema = z.strictObject({
  store: z.enum(['huggingface', 'ollama', 'lm-studio']),
  name: z.string(),
  path: z.string(),
  bytes,
  sha256: z.string().optional(),
})
export type FoundModel = z.infer<typeof FoundModelSchema>

export const DiskUsageSchema = z.strictObject({
  folders: z.array(
    z.strictObject({
      path: z.string(),
      /** Of the disk. */
      freeBytes: bytes,
      modelBytes: bytes,
      /** Of downloads that are not finished. */
      unfinishedBytes: bytes,
    }),
  ),
  models: z.array(z.strictObject({ name: z.string(), path: z.string(), bytes, linkedBytes: bytes })),
})
export type DiskUsage = z.infer<typeof DiskUsageSchema>

export const VerifiedFileSchema = z.strictObject({
  path: z.string(),
  bytes,
  sha256: z.string(),
  /** As the manifest has it. */
  recorded: z.string().optional(),
  /** As the source tells it now. */
  published: z.string().optional(),
  state: z.enum(['ok', 'damaged', 'differs-from-published', 'unknown']),
})
export const VerificationSchema = z.strictObject({
  model: z.string(),
  ok: z.boolean(),
  files: z.array(VerifiedFileSchema),
  /** What was asked for the published hashes, or why it could not be. */
  publishedBy: z.string().optional(),
  offlineReason: z.strictObject({ en: z.string(), zh: z.string() }).optional(),
})
export type Verification = z.infer<typeof VerificationSchema>
