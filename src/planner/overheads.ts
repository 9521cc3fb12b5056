/** What engines and devices take beside weights, cache and activations; and what is left free. Bytes. */

/** Node, libllama and its tokeniser (an estimate, from seeing about 90 MB and 0.5 kB a token of vocabulary). */
const PROCESS_BYTES = 100_000_000
const BYTES_A_VOCABULARY_ENTRY = 512

/** CUDA or Metal context on each device that is used: 0.3 to 0.6 GB (shared facts models.md 7). */
export const GPU_CONTEXT_BYTES = 600_000_000

export function processBytes(vocabulary: number): number {
  return PROCESS_BYTES + vocabulary * BYTES_A_VOCABULARY_ENTRY
}

/** Users at once: libllama's LLAMA_MAX_SEQ; the others are bounded by memory alone (this is the most that can be asked for). */
export const MOST_SEQUENCES = { llama: 256, vllm: 100_000, sglang: 100_000 } as const

/** What of ordinary memory may be planned with. */
export function usableMemory(freeBytes: number): number {
  return keepMargin(freeBytes, 0.08, 128_000_000, 2_000_000_000)
}

/** What of a graphics card may be planned with. */
export function usableGpu(freeBytes: number): number {
  return keepMargin(freeBytes, 0.05, 256_000_000, 1_000_000_000)
}

function keepMargin(bytes: number, share: number, least: number, most: number): number {
  return Math.max(0, Math.floor(bytes - Math.min(most, Math.max(least, bytes * share))))
}

/**
 * Share of a card's whole memory that the engine takes for weights, activations and cache.
 * vLLM `--gpu-memory-utilization` 0.92 (vllm/config/cache.py; 0.90 in older releases); SGLang `--mem-fraction-static`, chosen at start,
 * 0.86 to 0.90 on large cards, activations beside it.
 */
export const UTILISATION = { vllm: 0.92, sglang: 0.88 } as const
