/** What libllama writes to stderr, read line by line. Pure. */

export interface NativeBuffer {
  kind: 'model' | 'kv' | 'compute' | 'output'
  /** e.g. `CPU_Mapped`, `CUDA0`. */
  device: string
  bytes: number
}

export type NativeLogLine =
  | ({ type: 'buffer' } & NativeBuffer)
  /** Something that went wrong, in libllama's words. */
  | { type: 'error'; text: string }

const MIB = 2 ** 20
const BUFFER = /^[~\w]+:\s+(?<device>\S+)\s+(?<kind>model|KV|RS|compute|output) buffer size =\s+(?<size>[\d.]+) MiB/
const KIND = { model: 'model', KV: 'kv', RS: 'kv', compute: 'compute', output: 'output' } as const
const ERROR =
  /\b(?:error|failed|unable to|cannot|invalid|out of memory|GGML_ASSERT|GGML_ABORT|not supported on this system|unknown model architecture)\b/i
/** Lines that hold such a word and are harmless, and our own (they begin with the time). */
const HARMLESS =
  /^\d{4}-\d\d-\d\dT|cannot be used with preferred buffer type|is not marked as EOG|print_info:|llama_model_loader: - kv|set_abort_callback/

/** Undefined for lines that say nothing of use. */
export function parseNativeLogLine(line: string): NativeLogLine | undefined {
  const groups = BUFFER.exec(line)?.groups
  if (groups?.['device'] && groups['kind'] && groups['kind'] in KIND) {
    const kind = KIND[groups['kind'] as keyof typeof KIND]
    return { type: 'buffer', kind, device: groups['device'], bytes: Math.round(Number(groups['size']) * MIB) }
  }
  if (ERROR.test(line) && !HARMLESS.test(line)) return { type: 'error', text: line.trim() }
  return undefined
}

export interface NativeMemory {
  weights: number
  kv: number
  compute: number
  /** Bytes on devices other than the CPU. */
  onDevices: number
}

/** Sums of a log from the last load on. Each new context replaces the KV and compute buffers of the one before. */
export function sumNativeMemory(log: string): NativeMemory {
  const start = log.lastIndexOf('llama_model_loader: loaded meta data')
  const lines = log.slice(Math.max(0, start)).split('\n')
  const lastContext = lines.findLastIndex((line) => line.startsWith('llama_context: constructing'))
  const memory: NativeMemory = { weights: 0, kv: 0, compute: 0, onDevices: 0 }
  for (const [index, line] of lines.entries()) {
    const parsed = parseNativeLogLine(line)
    if (parsed?.type !== 'buffer') continue
    if (parsed.kind !== 'model' && index < lastContext) continue
    memory[PLACE[parsed.kind]] += parsed.bytes
    if (!parsed.device.startsWith('CPU')) memory.onDevices += parsed.bytes
  }
  return memory
}

const PLACE = { model: 'weights', kv: 'kv', compute: 'compute', output: 'compute' } as const

/** The last errors of a log, for a message to the user; repeated lines once. */
export function nativeErrors(log: string, limit = 5): string[] {
  const errors = log.split('\n').flatMap((line) => {
    const parsed = parseNativeLogLine(line)
    return parsed?.type === 'error' ? [parsed.text] : []
  })
  return [...new Set(errors)].slice(-limit)
}
