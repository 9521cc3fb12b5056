import type { RowOf } from '../column-types.ts'

export const batchColumns = {
  id: 'text',
  /** OpenAI's: validating, in_progress, … */
  status: 'text',
  endpoint: 'text',
  completion_window: 'text',
  input_file_id: 'text',
  output_file_id: 'text?',
  error_file_id: 'text?',
  /** JSON of the errors that validation found. */
  errors: 'text?',
  metadata: 'text?',
  /** Seconds that the output files are kept. */
  output_seconds: 'integer?',
  total: 'integer',
  completed: 'integer',
  failed: 'integer',
  input_tokens: 'integer',
  cached_tokens: 'integer',
  output_tokens: 'integer',
  reasoning_tokens: 'integer',
  created_at: 'integer',
  expires_at: 'integer',
  in_progress_at: 'integer?',
  finalizing_at: 'integer?',
  completed_at: 'integer?',
  failed_at: 'integer?',
  expired_at: 'integer?',
  cancelling_at: 'integer?',
  cancelled_at: 'integer?',
} as const
export type BatchRow = RowOf<typeof batchColumns>
