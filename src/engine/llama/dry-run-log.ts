/** What a dry run takes, read from libllama's log as it comes. Pure. */
import { parseNativeLogLine } from './native-log.ts'

export interface DryRunBuffers {
  /** Keys and values, and recurrent states, as libllama counts them. */
  kv: number
  /** Working buffers of a step. */
  compute: number
  /** Logits and embeddings of a step. */
  output: number
  /** Compute buffers by device, e.g. `CPU`, `CUDA0`. */
  devices: Readonly<Record<string, number>>
  /** Of keys and values, what was really taken: 0 in a dry run. */
  allocatedKv: number
}

const MIB = 2 ** 20
/** Printed for each cache even when nothing is allocated; its buffer then has 0 bytes. */
const CACHE = /^(?:llama_kv_cache|llama_memory_recurrent)\w*:\s+size =\s+([\d.]+) MiB \(/
const CONTEXT = /^llama_context: constructing llama_context/

/** One entry a context, in the order in which they were made. `lines` arrive one by one. */
export function createDryRunLog(): { push(line: string): void; contexts(): DryRunBuffers[]; allocatedWeights(): number } {
  let allocatedWeights = 0
  const contexts: (DryRunBuffers & { devices: Record<string, number> })[] = []
  return {
    push(line) {
      if (CONTEXT.test(line)) contexts.push({ kv: 0, compute: 0, output: 0, devices: {}, allocatedKv: 0 })
      const parsed = parseNativeLogLine(line)
      if (parsed?.type === 'buffer' && parsed.kind === 'model') allocatedWeights += parsed.bytes
      const current = contexts.at(-1)
      if (current === undefined) return
      current.kv += bytesOf(CACHE.exec(line)?.[1])
      if (parsed?.type !== 'buffer') return
      if (parsed.kind === 'kv') current.allocatedKv += parsed.bytes
      if (parsed.kind === 'output') current.output += parsed.bytes
      if (parsed.kind !== 'compute') return
      current.compute += parsed.bytes
      current.devices[parsed.device] = (current.devices[parsed.device] ?? 0) + parsed.bytes
    },
    contexts: () => contexts,
    allocatedWeights: () => allocatedWeights,
  }
}

function bytesOf(mib: string | undefined): number {
  return mib === undefined ? 0 : Math.round(Number(mib) * MIB)
}
