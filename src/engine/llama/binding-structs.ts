/**
 * The C structs of libllama 0.5.0 (node-llama-cpp 3.22.1) that cross the border, field by field in the order of `include/llama.h`.
 * Part of the binding: no other file may touch koffi.
 */
import koffi from 'koffi'
import type { TypeObject } from 'koffi'

/** Every pointer that crosses the border; it is `null` in C where it is undefined here. */
declare const brand: unique symbol
export type Pointer<Kind extends string> = bigint & { readonly [brand]: Kind }

export interface ModelParams {
  devices: bigint | null
  n_gpu_layers: number
  /** 0 one GPU, 1 layers over all GPUs. */
  split_mode: number
  /** −1 chosen by device, 0 read, 1 mmap. */
  load_mode: number
  progress_callback: bigint | null
  vocab_only: boolean
  check_tensors: boolean
  use_extra_bufts: boolean
  no_alloc: boolean
}

export interface ContextParams {
  n_ctx: number
  n_batch: number
  n_ubatch: number
  n_seq_max: number
  n_outputs_max: number
  n_outputs_max_per_seq: number
  n_threads: number
  n_threads_batch: number
  /** −1 the model's own, 0 none, 1 mean, 2 first, 3 last. */
  pooling_type: number
  /** −1 auto, 0 off, 1 on. */
  flash_attn_type: number
  yarn_ext_factor: number
  /** ggml_type: 1 f16, 2 q4_0, 8 q8_0. */
  type_k: number
  type_v: number
  embeddings: boolean
  offload_kqv: boolean
  no_perf: boolean
  op_offload: boolean
  swa_full: boolean
  kv_unified: boolean
}

export interface NativeBatch {
  n_tokens: number
  token: bigint
  embd: bigint | null
  pos: bigint
  n_seq_id: bigint
  seq_id: bigint
  logits: bigint
}

export const modelParams: TypeObject = koffi.struct({
  devices: 'void *',
  tensor_buft_overrides: 'void *',
  n_gpu_layers: 'int32',
  split_mode: 'int32',
  load_mode: 'int32',
  lazy_mode: 'int32',
  main_gpu: 'int32',
  tensor_split: 'void *',
  progress_callback: 'void *',
  progress_callback_user_data: 'void *',
  kv_overrides: 'void *',
  vocab_only: 'bool',
  check_tensors: 'bool',
  use_extra_bufts: 'bool',
  no_host: 'bool',
  no_alloc: 'bool',
  load_mtp: 'bool',
})

export const contextParams: TypeObject = koffi.struct({
  n_ctx: 'uint32',
  n_batch: 'uint32',
  n_ubatch: 'uint32',
  n_seq_max: 'uint32',
  n_rs_seq: 'uint32',
  n_outputs_max: 'uint32',
  n_outputs_max_per_seq: 'uint32',
  n_threads: 'int32',
  n_threads_batch: 'int32',
  ctx_type: 'int32',
  rope_scaling_type: 'int32',
  pooling_type: 'int32',
  attention_type: 'int32',
  flash_attn_type: 'int32',
  rope_freq_base: 'float',
  rope_freq_scale: 'float',
  yarn_ext_factor: 'float',
  yarn_attn_factor: 'float',
  yarn_beta_fast: 'float',
  yarn_beta_slow: 'float',
  yarn_orig_ctx: 'uint32',
  defrag_thold: 'float',
  cb_eval: 'void *',
  cb_eval_user_data: 'void *',
  type_k: 'int32',
  type_v: 'int32',
  abort_callback: 'void *',
  abort_callback_data: 'void *',
  embeddings: 'bool',
  offload_kqv: 'bool',
  no_perf: 'bool',
  op_offload: 'bool',
  swa_full: 'bool',
  kv_unified: 'bool',
  samplers: 'void *',
  n_samplers: 'size_t',
  ctx_other: 'void *',
})

export const batchStruct: TypeObject = koffi.struct({
  n_tokens: 'int32',
  token: 'void *',
  embd: 'void *',
  pos: 'void *',
  n_seq_id: 'void *',
  seq_id: 'void *',
  logits: 'void *',
})

export const chainParams: TypeObject = koffi.struct({ no_perf: 'bool' })

export const progressCallback: TypeObject = koffi.proto('bool', ['float', 'void *'])

/** sizeof(llama_token_data): id, logit, p. */
export const TOKEN_DATA_BYTES = 12
/** sizeof(llama_token_data_array) on 64 bits: data, size, selected, sorted + padding. */
export const TOKEN_ARRAY_BYTES = 32

/** What llama.h's defaults must read as, when the structs above are right. From `llama_{model,context}_default_params()` of that version. */
export const EXPECTED_DEFAULTS = {
  model: {
    devices: null,
    tensor_buft_overrides: null,
    n_gpu_layers: -1,
    split_mode: 1,
    load_mode: -1,
    lazy_mode: 1,
    main_gpu: 0,
    tensor_split: null,
    kv_overrides: null,
    vocab_only: false,
    check_tensors: false,
    use_extra_bufts: true,
    no_host: false,
    no_alloc: false,
    load_mtp: false,
  },
  context: {
    n_ctx: 512,
    n_batch: 2048,
    n_ubatch: 512,
    n_seq_max: 1,
    n_outputs_max: 0,
    n_outputs_max_per_seq: 1,
    ctx_type: 0,
    rope_scaling_type: -1,
    pooling_type: -1,
    attention_type: -1,
    flash_attn_type: -1,
    yarn_ext_factor: -1,
    yarn_orig_ctx: 0,
    defrag_thold: -1,
    type_k: 1,
    type_v: 1,
    embeddings: false,
    offload_kqv: true,
    no_perf: true,
    op_offload: true,
    swa_full: true,
    kv_unified: false,
    n_samplers: 0,
    ctx_other: null,
  },
} as const

/** The first field that does not read as it must, as text; undefined when all do. */
export function findMismatch(expected: Record<string, unknown>, actual: Record<string, unknown>): string | undefined {
  for (const [field, value] of Object.entries(expected)) {
    if (actual[field] !== value) return `${field} reads ${String(actual[field])} instead of ${String(value)}`
  }
  return undefined
}
