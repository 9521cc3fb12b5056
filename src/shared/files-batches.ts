/**
 * `/v1/files` and `/v1/batches`: requests are read leniently, what we write is checked to the letter of OpenAI's published OpenAPI description, where
 * times and files that are not there yet are left out rather than null.
 */
import { z } from 'zod'
import { MetadataSchema } from './responses.ts'

/** What a file may be for; here only `batch` is read by anything. */
export const UPLOAD_PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const

export const ExpirySchema = z.looseObject({ anchor: z.literal('created_at'), seconds: z.int().min(3600).max(2_592_000) })

/** The form of an upload, for the document: it is read piece by piece, never as a whole. */
export const UploadFormSchema = z.looseObject({
  file: z.string().meta({ format: 'binary' }),
  purpose: z.enum(UPLOAD_PURPOSES),
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': z.int().min(3600).max(2_592_000).optional(),
})

const seconds = z.int().nonnegative()
const count = z.int().nonnegative()

export const FileSchema = z.strictObject({
  id: z.string(),
  object: z.literal('file'),
  bytes: count,
  created_at: seconds,
  expires_at: seconds.optional(),
  filename: z.string(),
  purpose: z.enum([...UPLOAD_PURPOSES, 'batch_output']),
  status: z.literal('processed'),
})
export type WireFile = z.infer<typeof FileSchema>

const listOf = <Entry extends z.ZodType>(entry: Entry) =>
  z.strictObject({ object: z.literal('list'), data: z.array(entry), first_id: z.string(), last_id: z.string(), has_more: z.boolean() })

export const FileListSchema = listOf(FileSchema)
export type FileList = z.infer<typeof FileListSchema>
export const DeletedFileSchema = z.strictObject({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })
export type DeletedFile = z.infer<typeof DeletedFileSchema>

export const BATCH_ENDPOINTS = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses'] as const
export type BatchEndpoint = (typeof BATCH_ENDPOINTS)[number]

export const BatchRequestSchema = z.looseObject({
  input_file_id: z.string().min(1),
  endpoint: z.enum(BATCH_ENDPOINTS, `expected one of ${BATCH_ENDPOINTS.join(', ')}`),
  completion_window: z.literal('24h', 'expected 24h'),
  metadata: MetadataSchema.nullish(),
  output_expires_after: ExpirySchema.nullish(),
})
export type BatchRequest = z.infer<typeof BatchRequestSchema>

export const BATCH_STATUSES = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
] as const
export type BatchStatus = (typeof BATCH_STATUSES)[number]

export const BatchErrorSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  /** From 1. */
  line: z.int().nullable(),
})
export type BatchError = z.infer<typeof BatchErrorSchema>

export const BatchSchema = z.strictObject({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.string(),
  errors: z.strictObject({ object: z.literal('list'), data: z.array(BatchErrorSchema) }).optional(),
  input_file_id: z.string(),
  completion_window: z.string(),
  status: z.enum(BATCH_STATUSES),
  output_file_id: z.string().optional(),
  error_file_id: z.string().optional(),
  created_at: seconds,
  in_progress_at: seconds.optional(),
  expires_at: seconds,
  finalizing_at: seconds.optional(),
  completed_at: seconds.optional(),
  failed_at: seconds.optional(),
  expired_at: seconds.optional(),
  cancelling_at: seconds.optional(),
  cancelled_at: seconds.optional(),
  request_counts: z.strictObject({ total: count, completed: count, failed: count }),
  usage: z.strictObject({
    input_tokens: count,
    input_tokens_details: z.strictObject({ cached_tokens: count }),
    output_tokens: count,
    output_tokens_details: z.strictObject({ reasoning_tokens: count }),
    total_tokens: count,
  }),
  metadata: MetadataSchema.nullable(),
})
export type Batch = z.infer<typeof BatchSchema>
export const BatchListSchema = listOf(BatchSchema)
export type BatchList = z.infer<typeof BatchListSchema>

/** A line of the input file. */
export const BatchInputLineSchema = z.looseObject({
  custom_id: z.string().min(1).max(512),
  method: z.string(),
  url: z.string(),
  body: z.looseObject({ model: z.string().min(1), stream: z.boolean().nullish() }),
})

/** A line of the output file, or of the error file. */
export const BatchOutputLineSchema = z.strictObject({
  id: z.string(),
  custom_id: z.string(),
  response: z.strictObject({ status_code: z.int(), request_id: z.string(), body: z.record(z.string(), z.unknown()) }).nullable(),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
})
export type BatchOutputLine = z.infer<typeof BatchOutputLineSchema>

/** Fields of the answers to a line, whichever endpoint it was for. */
export const LineUsageSchema = z.looseObject({
  prompt_tokens: count.optional(),
  completion_tokens: count.optional(),
  input_tokens: count.optional(),
  output_tokens: count.optional(),
  prompt_tokens_details: z.looseObject({ cached_tokens: count.optional() }).nullish(),
  input_tokens_details: z.looseObject({ cached_tokens: count.optional() }).nullish(),
  completion_tokens_details: z.looseObject({ reasoning_tokens: count.optional() }).nullish(),
  output_tokens_details: z.looseObject({ reasoning_tokens: count.optional() }).nullish(),
})
