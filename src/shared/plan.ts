/** Bodies of `/api/plan`: what a model would need, where it would lie, how fast it would be, and what else would fit. Bytes are bytes. */
import { z } from 'zod'

const bytes = z.number().nonnegative()
const count = z.number().int().nonnegative()
const localized = z.strictObject({ en: z.string(), zh: z.string() })
const range = z.strictObject({ low: z.number().nonnegative(), high: z.number().nonnegative() })

export const PLAN_ENGINES = ['llama', 'vllm', 'sglang'] as const
export type PlanEngine = (typeof PLAN_ENGINES)[number]
export const PLAN_KV_TYPES = ['f16', 'bf16', 'q8_0', 'q4_0', 'fp8'] as const
export const PLAN_TASKS = ['chat', 'code', 'math', 'reasoning', 'documents'] as const
export type PlanTask = (typeof PLAN_TASKS)[number]

/** A machine in words; what is absent is this machine's. */
const machineFields = {
  /** `8xH20-96G`, `4090`, `2x3090+1x4090`, `NAME-48G@900GB/s`; `none`. */
  gpu: z.string().max(512).optional(),
  /** `64G`, `512G@460GB/s`. */
  ram: z.string().max(64).optional(),
}

/** All values may come as text, as after a `?`. */
export const PlanRequestSchema = z.strictObject({
  ...machineFields,
  model: z.string().min(1).max(4096),
  /** Tokens of one user. */
  context: z.coerce.number().int().min(1).max(100_000_000).optional(),
  users: z.coerce.number().int().min(1).max(100_000).optional(),
  kv: z.enum(PLAN_KV_TYPES).optional(),
  kvLayout: z.enum(['unified', 'split']).optional(),
  engine: z.enum(PLAN_ENGINES).optional(),
  /** e.g. `Q4_K_M`, `FP8`, `AWQ`; absent = what the files are. */
  quant: z.string().max(64).optional(),
  /** Loads multi-token-prediction or draft weights too. */
  draft: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).optional(),
})
export type PlanRequest = z.output<typeof PlanRequestSchema>

export const PLAN_PARTS = ['weights', 'experts', 'lookup', 'draft', 'kv', 'compute', 'overhead'] as const
export type PlanPart = (typeof PLAN_PARTS)[number]

export const PlanDeviceSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(['gpu', 'memory']),
  node: count,
  capacity: bytes,
  usable: bytes,
  used: bytes,
  parts: z.record(z.enum(PLAN_PARTS), bytes),
  layers: count,
})
export type PlanDevice = z.infer<typeof PlanDeviceSchema>

export const PlanTermSchema = z.strictObject({
  id: z.string(),
  label: localized,
  /** With names. */
  formula: z.string(),
  /** … with the numbers put in. */
  numbers: z.string(),
  value: z.number(),
  unit: z.enum(['bytes', 'bytes/token', 'bytes/s', 'tokens/s', 'parameters']),
  /** `exact`: read; `measured`: from a dry run or a load here; `formula`: from the shape; `estimate`: a rule of thumb. */
  basis: z.enum(['exact', 'measured', 'formula', 'estimate']),
  source: z.string(),
})
export type PlanTerm = z.infer<typeof PlanTermSchema>

export const PlanChangeSchema = z.strictObject({
  kind: z.enum(['kv', 'users', 'context', 'quantization', 'engine', 'hardware', 'model']),
  change: localized,
  loss: localized,
  /** Greater = more is lost. */
  rank: z.number(),
  /** Fields of the request that would make it fit. */
  request: z.record(z.string(), z.union([z.string(), z.number()])),
  total: bytes,
})
export type PlanChange = z.infer<typeof PlanChangeSchema>

export const PlanSpeedSchema = z.strictObject({
  decode: range,
  decodeAll: range,
  prefill: range,
  readPerToken: bytes,
  /** Corrected by what was measured on this machine. */
  isCorrected: z.boolean(),
})

export const PlanReportSchema = z.strictObject({
  model: z.strictObject({
    reference: z.string(),
    title: z.string(),
    architecture: z.string(),
    source: z.enum(['gguf', 'safetensors', 'config', 'catalogue']),
    quantization: z.string(),
    parameters: count,
    activeParameters: count,
    trainedContext: count,
    readBytes: bytes,
    requests: count,
  }),
  wishes: z.strictObject({
    context: count,
    users: count,
    kv: z.enum(PLAN_KV_TYPES),
    kvLayout: z.enum(['unified', 'split']),
    engine: z.enum(PLAN_ENGINES),
    quantization: z.string(),
  }),
  fits: z.boolean(),
  placement: z.enum(['gpu', 'layers-split', 'experts-in-memory', 'partly-on-gpu', 'memory', 'tensor-parallel']),
  placementText: localized,
  devices: z.array(PlanDeviceSchema),
  memory: z.strictObject({ weights: bytes, kv: bytes, compute: bytes, overhead: bytes, total: bytes, usable: bytes }),
  kv: z.strictObject({
    scheme: z.string(),
    bytes,
    bytesPerToken: bytes,
    fixedBytesPerSequence: bytes,
    parts: z.array(z.strictObject({ stream: z.string(), layers: count, cells: count, bytesPerCell: bytes, bytes })),
  }),
  /** Tokens; with as many users as wished. 0 when not even the shortest fits. */
  largestContext: count,
  /** … at once, with the context that was wished. */
  mostUsers: count,
  speed: PlanSpeedSchema.optional(),
  parallelism: z
    .strictObject({ tensor: count, pipeline: count, data: count, expert: count, nodes: count, unused: count, command: z.string() })
    .optional(),
  terms: z.array(PlanTermSchema),
  /** When it does not fit: what would make it fit, least loss first. */
  changes: z.array(PlanChangeSchema),
  notes: z.array(localized),
})
export type PlanReport = z.infer<typeof PlanReportSchema>

export const RecommendRequestSchema = z.strictObject({
  ...machineFields,
  for: z.enum(PLAN_TASKS).optional(),
  /** Separated by commas, e.g. `zh,en`. */
  languages: z.string().max(128).optional(),
  users: z.coerce.number().int().min(1).max(10_000).optional(),
  context: z.coerce.number().int().min(256).max(10_000_000).optional(),
})
export type RecommendRequest = z.output<typeof RecommendRequestSchema>

export const RecommendationSchema = z.strictObject({
  repository: z.string(),
  title: z.string(),
  /** What `bendi pull` takes. */
  pull: z.string().optional(),
  quantization: z.string(),
  kv: z.enum(PLAN_KV_TYPES),
  total: bytes,
  download: bytes,
  placement: z.string(),
  speed: range.optional(),
  largestContext: count,
  /** Greater is better; only their order means something. */
  score: z.number(),
  reasons: z.array(localized),
})
export type Recommendation = z.infer<typeof RecommendationSchema>

export const RecommendReportSchema = z.strictObject({
  for: z.enum(PLAN_TASKS),
  users: count,
  context: count,
  languages: z.array(z.string()),
  machine: z.strictObject({ gpus: z.array(z.string()), memoryBytes: bytes }),
  models: z.array(RecommendationSchema),
  /** When nothing sensible fits: hosts, and the smallest machines that would do. */
  instead: z
    .strictObject({
      text: localized,
      hosted: z.array(z.strictObject({ name: z.string(), note: localized })),
      hardware: z.array(z.strictObject({ gpu: z.string(), model: z.string() })),
    })
    .optional(),
})
export type RecommendReport = z.infer<typeof RecommendReportSchema>

/** GET without a model recommends. */
export const PlanQuerySchema = z.strictObject({
  ...PlanRequestSchema.shape,
  model: z.string().max(4096).optional(),
  for: z.enum(PLAN_TASKS).optional(),
  languages: z.string().max(128).optional(),
})
export type PlanQuery = z.output<typeof PlanQuerySchema>
export const PlanAnswerSchema = z.union([PlanReportSchema, RecommendReportSchema])
export type PlanAnswer = z.infer<typeof PlanAnswerSchema>
