/** The report of `nvidia-smi -q -x` (nvsmi_device v10 to v12): what the CSV queries do not tell. */
import type { Gpu } from '../shared/hardware.ts'
import { MIB, known } from './gpu-probe.ts'

export interface NvidiaDetails {
  cudaVersion?: string
  /** In the order of the tool. */
  gpus: Pick<Gpu, 'ecc' | 'partitions'>[]
}

/** Reads by tag names; the report has no attributes but a card's address, and no tag of ours inside another of the same name. */
export function parseNvidiaXml(text: string): NvidiaDetails {
  const cudaVersion = versionOf(tag(text, 'cuda_version'))
  const cards = text.split(/<gpu id=/).slice(1)
  return { ...(cudaVersion === undefined ? {} : { cudaVersion }), gpus: cards.map(detailsOf) }
}

/** Also `Not Found` and `ERR!` stand there. */
function versionOf(value: string | undefined): string | undefined {
  return /^\d+\.\d+$/.test(value ?? '') ? value : undefined
}

function detailsOf(card: string): NvidiaDetails['gpus'][number] {
  const ecc = known(tag(tag(card, 'ecc_mode') ?? '', 'current_ecc'))
  const isSplit = tag(tag(card, 'mig_mode') ?? '', 'current_mig') === 'Enabled'
  return { ...(ecc === undefined ? {} : { ecc: ecc === 'Enabled' }), ...(isSplit ? { partitions: partitionsOf(card) } : {}) }
}

function partitionsOf(card: string): NonNullable<Gpu['partitions']> {
  return sections(tag(card, 'mig_devices') ?? '', 'mig_device').map((device) => {
    const memory = tag(device, 'fb_memory_usage') ?? ''
    return {
      id: `${tag(device, 'gpu_instance_id') ?? '?'}/${tag(device, 'compute_instance_id') ?? '?'}`,
      memoryBytes: mebibytes(tag(memory, 'total')),
      freeBytes: mebibytes(tag(memory, 'free')),
    }
  })
}

function mebibytes(text: string | undefined): number {
  const match = /^(\d+) MiB$/.exec(text ?? '')
  return match ? Number(match[1]) * MIB : 0
}

/** The text between the first `<name>` and the next `</name>`. */
function tag(text: string, name: string): string | undefined {
  return sections(text, name)[0]
}

/** By searching, not by a pattern with a lazy middle: the report is long and comes from outside. */
function sections(text: string, name: string): string[] {
  const found: string[] = []
  const [open, close] = [`<${name}>`, `</${name}>`]
  for (let at = text.indexOf(open); at >= 0; at = text.indexOf(open, at + 1)) {
    const end = text.indexOf(close, at)
    if (end < 0) break
    found.push(text.slice(at + open.length, end).trim())
  }
  return found
}
