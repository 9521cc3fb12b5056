/** A libllama context, its batch and its sizes. */
import { MAX_DRAFT } from './batch.ts'
import { AppError } from '../../shared/errors.ts'
import type { KvLayout, KvType } from '../engine.ts'
import type { BatchBuffer, ContextParams, ContextPointer, MemoryPointer } from './binding-types.ts'
import type { LlamaModel } from './model.ts'

export interface RunnerOptions {
  layout: KvLayout
  /** Sequences at the same time, 1 … 256. */
  slots: number
  /** Cells of all slots together; in the split layout each slot owns cells ÷ slots of them. Rounded up to 256 (a slot). */
  cells: number
  kvType: KvType
  /** Tokens of one step at most (n_batch). */
  batchTokens: number
  /** Tokens of one computation at most (n_ubatch). */
  microBatchTokens: number
  threads: number
  batchThreads: number
  /** Rows of a step that may be sampled at most, drafts included; more logits take more memory. Absent: one a slot, and all drafts. */
  maxOutputs?: number
}

export const MAX_SLOTS = 256
const GGML_TYPE = { f16: 1, q4_0: 2, q8_0: 8 } as const satisfies Record<KvType, number>

/** A context and what belongs to it. */
export interface NativeContext {
  options: RunnerOptions
  context: ContextPointer
  memory: MemoryPointer
  batch: BatchBuffer
  maxOutputs: number
  streams: number
  cells: number
  cellsPerSlot: number
}

/** Makes a context on a worker thread. Throws `engine-start-failed` when libllama cannot. */
export async function openContext(model: LlamaModel, options: RunnerOptions): Promise<NativeContext> {
  const { binding, shape, pointer } = model
  const { slots, layout } = options
  if (!Number.isInteger(slots) || slots < 1 || slots > MAX_SLOTS) throw new Error(`${slots} slots; libllama has 1 … ${MAX_SLOTS}`)
  const maxOutputs = outputsOf(options)
  const context = await binding.createContext(pointer, contextParameters(options))
  const memory = context && binding.memory(context)
  if (!context || !memory) {
    if (context) binding.freeContext(context)
    const reason = `libllama cannot make a context of ${options.cells} cells`
    throw new AppError('engine-start-failed', { model: shape.name ?? shape.architecture, reason, log: '' })
  }
  return {
    options,
    context,
    memory,
    batch: binding.createBatch(binding.batchCapacity(context)),
    maxOutputs,
    streams: layout === 'split' ? slots : 1,
    cells: binding.contextCells(context),
    cellsPerSlot: binding.contextCellsPerSequence(context),
  }
}

/** Also for the dry run (dry-run-model.ts), which must ask for the same. */
export function contextParameters(options: RunnerOptions): Partial<ContextParams> {
  const { layout, slots, cells, kvType, microBatchTokens, threads, batchThreads } = options
  const batchTokens = batchTokensOf(options)
  return {
    n_ctx: cells,
    n_batch: batchTokens,
    n_ubatch: Math.min(microBatchTokens, batchTokens),
    n_seq_max: slots,
    n_outputs_max: outputsOf(options),
    // The default of 1 would forbid to sample after each draft.
    n_outputs_max_per_seq: 0,
    n_threads: threads,
    n_threads_batch: batchThreads,
    // A quantised V cache exists only with flash attention; else libllama knows where it pays.
    flash_attn_type: kvType === 'f16' ? -1 : 1,
    type_k: GGML_TYPE[kvType],
    type_v: GGML_TYPE[kvType],
    kv_unified: layout === 'unified',
  }
}

/** libllama asserts that the outputs of a batch can be as many as its sequences. */
function batchTokensOf({ batchTokens, slots }: RunnerOptions): number {
  return Math.max(batchTokens, slots)
}

function outputsOf(options: RunnerOptions): number {
  const { slots, maxOutputs = slots + MAX_DRAFT } = options
  return Math.max(slots, Math.min(batchTokensOf(options), maxOutputs))
}
