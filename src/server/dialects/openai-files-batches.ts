/** Files and batches as the store has them → as OpenAI tells them. Pure. */
import { z } from 'zod'
import {
  BATCH_STATUSES,
  BatchErrorSchema,
  UPLOAD_PURPOSES,
  type Batch,
  type BatchList,
  type FileList,
  type WireFile,
} from '../../shared/files-batches.ts'
import { MetadataSchema } from '../../shared/responses.ts'
import type { StoredBatch } from '../../platform/batches.ts'
import type { StoredFile } from '../../platform/files.ts'
import { unixSeconds } from '../route-context.ts'

const PurposeSchema = z.enum([...UPLOAD_PURPOSES, 'batch_output'])
const StatusSchema = z.enum(BATCH_STATUSES)

export function wireFile(file: StoredFile): WireFile {
  return {
    id: file.id,
    object: 'file',
    bytes: file.bytes,
    created_at: unixSeconds(file.created_at),
    ...(file.expires_at === null ? {} : { expires_at: unixSeconds(file.expires_at) }),
    filename: file.filename,
    purpose: PurposeSchema.parse(file.purpose),
    status: 'processed',
  }
}

/** Times and files that are not there yet are left out: the description knows no null for them. */
export function wireBatch(row: StoredBatch): Batch {
  return {
    id: row.id,
    object: 'batch',
    endpoint: row.endpoint,
    ...(row.errors === null ? {} : { errors: { object: 'list', data: z.array(BatchErrorSchema).parse(JSON.parse(row.errors)) } }),
    input_file_id: row.input_file_id,
    completion_window: row.completion_window,
    status: StatusSchema.parse(row.status),
    ...(row.output_file_id === null ? {} : { output_file_id: row.output_file_id }),
    ...(row.error_file_id === null ? {} : { error_file_id: row.error_file_id }),
    created_at: unixSeconds(row.created_at),
    expires_at: unixSeconds(row.expires_at),
    ...timesOf(row),
    request_counts: { total: row.total, completed: row.completed, failed: row.failed },
    usage: {
      input_tokens: row.input_tokens,
      input_tokens_details: { cached_tokens: row.cached_tokens },
      output_tokens: row.output_tokens,
      output_tokens_details: { reasoning_tokens: row.reasoning_tokens },
      total_tokens: row.input_tokens + row.output_tokens,
    },
    metadata: row.metadata === null ? null : MetadataSchema.parse(JSON.parse(row.metadata)),
  }
}

const TIMES = ['in_progress_at', 'finalizing_at', 'completed_at', 'failed_at', 'expired_at', 'cancelling_at', 'cancelled_at'] as const

function timesOf(row: StoredBatch): Partial<Record<(typeof TIMES)[number], number>> {
  return Object.fromEntries(
    TIMES.flatMap((name) => {
      const at = row[name]
      return at === null ? [] : [[name, unixSeconds(at)]]
    }),
  )
}

export function wireList<Entry extends { id: string }>(
  data: Entry[],
  hasMore: boolean,
): { object: 'list'; data: Entry[]; first_id: string; last_id: string; has_more: boolean } {
  return { object: 'list', data, first_id: data[0]?.id ?? '', last_id: data.at(-1)?.id ?? '', has_more: hasMore }
}

export const fileList = (files: readonly StoredFile[], hasMore: boolean): FileList => wireList(files.map(wireFile), hasMore)
export const batchList = (rows: readonly StoredBatch[], hasMore: boolean): BatchList => wireList(rows.map(wireBatch), hasMore)
