/** Bodies of bendi's own API (`/api`). Bytes are bytes, times are ms since 1970, durations ms. */
import { z } from 'zod'

const bytes = z.number().int().nonnegative()
const count = z.number().int().nonnegative()

export const WireErrorSchema = z.strictObject({
  code: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
  message: z.string(),
})

export const GpuSchema = z.strictObject({
  vendor: z.enum(['nvidia', 'amd', 'apple', 'intel', 'ascend']),
  name: z.string(),
  memoryBytes: bytes,
  freeBytes: bytes,
  driver: z.string().optional(),
  /** e.g. CUDA compute capability `9.0`. */
  capability: z.string().optional(),
})
export type Gpu = z.infer<typeof GpuSchema>

export const HardwareSchema = z.strictObject({
  platform: z.string(),
  cpu: z.strictObject({
    model: z.string(),
    /** Cores that this process may use (affinity and cgroup quota). */
    cores: z.number().positive(),
    physicalCores: z.number().positive(),
    features: z.array(z.string()),
  }),
  memory: z.strictObject({
    totalBytes: bytes,
    /** What could be taken now without swapping, cgroup limit included. */
    availableBytes: bytes,
    /** The cgroup's limit, when there is one. */
    limitBytes: bytes.optional(),
  }),
  disk: z.strictObject({ path: z.string(), freeBytes: bytes, totalBytes: bytes }),
  gpus: z.array(GpuSchema),
})
export type Hardware = z.infer<typeof HardwareSchema>

export const FindingSchema = z.strictObject({
  id: z.string(),
  level: z.enum(['ok', 'warning', 'problem']),
  title: z.strictObject({ en: z.string(), zh: z.string() }),
  detail: z.strictObject({ en: z.string(), zh: z.string() }),
  remedy: z.strictObject({ en: z.string(), zh: z.string() }).optional(),
})
/** One line of `bendi doctor`. */
export type Finding = z.infer<typeof FindingSchema>

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

export const PULL_STATES = ['waiting', 'resolving', 'downloading', 'verifying', 'done', 'failed', 'cancelled'] as const
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
