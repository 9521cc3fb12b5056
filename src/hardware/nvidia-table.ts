/** The table that plain `nvidia-smi` prints, for when its XML report fails or hangs: the CUDA version and MIG's parts. */
import type { Gpu } from '../shared/hardware.ts'
import { MIB } from './gpu-probe.ts'

type Partition = NonNullable<Gpu['partitions']>[number]

export interface NvidiaTable {
  cudaVersion?: string
  /** By card number; a card in MIG mode without any instance has an empty list. */
  partitions: Map<number, Partition[]>
}

/**
 * Cards take two or three lines, `|   0  NVIDIA A100 80G...  On   | 00000000:31:00.0 Off | On |`, the last of which says `Enabled` in MIG mode.
 * Parts: `|  1    3   0   0  |  14366MiB / 19968MiB | 28      0 | … |`: card, GPU instance, compute instance, number; drivers since 530 are wider.
 */
export function parseNvidiaTable(text: string): NvidiaTable {
  const cudaVersion = /CUDA Version: (\d+\.\d+)/.exec(text)?.[1]
  const partitions = new Map<number, Partition[]>()
  const at = text.search(/^\| MIG devices:/m)
  for (const card of cardsInMigMode(at < 0 ? text : text.slice(0, at))) partitions.set(card, [])
  for (const line of at < 0 ? [] : text.slice(at).split('\n')) addPartition(line, partitions)
  return { ...(cudaVersion === undefined ? {} : { cudaVersion }), partitions }
}

function cardsInMigMode(text: string): number[] {
  const cards: number[] = []
  let card: number | undefined
  for (const line of text.split('\n')) {
    const number = /^\|\s+(\d{1,3})\s+\S.*\|\s+[\da-f]{8}:[\da-f]{2}:[\da-f]{2}\.\d/i.exec(line)?.[1]
    if (number !== undefined) card = Number(number)
    if (card !== undefined && /\|\s+Enabled\*?\s+\|\s*$/.test(line)) cards.push(card)
    if (line.startsWith('| Processes')) break
  }
  return cards
}

function addPartition(line: string, partitions: Map<number, Partition[]>): void {
  const match = /^\|\s+(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s+\d{1,3}\s+\|\s+(\d+)MiB\s*\/\s*(\d+)MiB/.exec(line)
  if (!match) return
  const [card, instance, compute, used, total] = match.slice(1).map(Number)
  if (card === undefined || used === undefined || total === undefined) return
  const own = partitions.get(card) ?? []
  own.push({ id: `${instance}/${compute}`, memoryBytes: total * MIB, freeBytes: Math.max(0, total - used) * MIB })
  partitions.set(card, own)
}
