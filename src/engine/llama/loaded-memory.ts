/** What a model really took, as libllama says in its log: the only place where it tells. */
import { readFile } from 'node:fs/promises'

export interface LoadedMemory {
  /** Bytes, summed over devices. */
  weights: number
  kv: number
  compute: number
}

const KINDS = { weights: 'model', kv: 'KV', compute: 'compute' } as const
const MIB = 2 ** 20

/** Reads the last load in a log file; zeros when there is none. */
export async function memoryFromLog(logFile: string): Promise<LoadedMemory> {
  return parseLoadedMemory(await readFile(logFile, 'utf8').catch(() => ''))
}

/** Of the last load in a log: lines like `load_tensors:   CPU_Mapped model buffer size =    86.07 MiB`. */
export function parseLoadedMemory(log: string): LoadedMemory {
  const last = log.slice(Math.max(0, log.lastIndexOf('load_tensors: loading model tensors')))
  const sum = (kind: string): number =>
    [...last.matchAll(new RegExp(`${kind} buffer size =\\s+([\\d.]+) MiB`, 'g'))].reduce((total, match) => total + Number(match[1]) * MIB, 0)
  return { weights: sum(KINDS.weights), kv: sum(KINDS.kv), compute: sum(KINDS.compute) }
}
