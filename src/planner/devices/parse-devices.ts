/** `--gpu "8xH20-96G"`, `4090`, `2x3090+1x4090`, `NAME-48G@900GB/s`; `--ram 64G`, `512G@460GB/s`. */
import { AppError } from '../../shared/errors.ts'
import type { MachineGpu } from '../machine.ts'
import { GPUS_A_NODE } from '../machine.ts'
import { deviceNamed, nearestDevices } from './device-table.ts'
import { bandwidthOf } from './device.ts'

const GIB = 2 ** 30
const MOST_GPUS = 1024

/** Cards with all their memory free, eight a computer. `none` is an empty list. Throws `invalid-field`. */
export function parseGpus(text: string): MachineGpu[] {
  // Chinese keyboards type wide letters: `４０９０`.
  const trimmed = text.normalize('NFKC').trim()
  if (/^(none|no|0|cpu|无)$/i.test(trimmed)) return []
  const gpus = trimmed.split(/\s*[+,，、](?!\s*395)\s*/).flatMap((part) => parseGroup(part.trim()))
  if (gpus.length > MOST_GPUS) throw invalid('gpu', `more than ${MOST_GPUS} cards`)
  return gpus.map((gpu, index) => ({ ...gpu, node: Math.floor(index / GPUS_A_NODE) }))
}

function parseGroup(text: string): Omit<MachineGpu, 'node'>[] {
  const [, countText, rest = ''] = /^(?:(\d+)\s*[x×*张块片卡個个]\s*)?(.*)$/i.exec(text) ?? []
  const count = countText === undefined ? 1 : Number(countText)
  if (rest === '' || count < 1 || count > MOST_GPUS)
    throw invalid('gpu', `"${text}" is no card; write e.g. 4090, 8xH20-96G or 2x3090+1x4090`)
  const gpu = parseOne(rest)
  return Array.from({ length: count }, () => gpu)
}

function parseOne(text: string): Omit<MachineGpu, 'node'> {
  const [, body = text, bandwidthText] = /^(.*?)(?:@\s*([\d.]+)\s*GB\/?s)?$/i.exec(text) ?? []
  const [, name = body, memoryText] = /^(.*?)(?:[\s_-]*(?<![\d.])(\d+(?:\.\d+)?)\s*Gi?B?)?$/i.exec(body) ?? []
  const known = deviceNamed(name) ?? deviceNamed(body)
  const memory = memoryText === undefined ? known?.memory[0][0] : Number(memoryText)
  const bandwidth = bandwidthText === undefined ? known && bandwidthOf(known, memory ?? 0) * 1e9 : Number(bandwidthText) * 1e9
  if (memory === undefined || bandwidth === undefined || !(memory > 0) || !(bandwidth > 0)) throw unknown(text, name)
  const bytes = memory * GIB * (known?.hasInlineEcc === true ? 15 / 16 : 1)
  return {
    name: known ? (memory === known.memory[0][0] ? known.name : `${known.name} ${memory} GiB`) : name.trim(),
    vendor: known?.vendor ?? 'other',
    memoryBytes: bytes,
    freeBytes: bytes * (known?.vendor === 'apple' ? metalShare(memory) : 1),
    bandwidth,
    isUnified: known?.isUnified ?? false,
    ...(known?.fp16 === undefined ? {} : { fp16: known.fp16 * 1e12 }),
    ...(known?.fp8 === undefined ? {} : { fp8: known.fp8 * 1e12 }),
    ...(known ? { source: known.source, unconfirmed: known.unconfirmed } : {}),
  }
}

/** Metal wires two thirds, or three quarters above 36 GiB (recommendedMaxWorkingSetSize). */
function metalShare(gib: number): number {
  return gib > 36 ? 3 / 4 : 2 / 3
}

export interface MemoryDescription {
  bytes: number
  bandwidth?: number
}

/** `64G` and `64GB` are 64 × 2^30 bytes, as memory modules are sold. Throws `invalid-field`. */
export function parseMemory(text: string): MemoryDescription {
  const found = /^\s*(\d+(?:\.\d+)?)\s*([MGT])(?:i?B)?\s*(?:@\s*(\d+(?:\.\d+)?)\s*GB\/?s)?\s*$/i.exec(text.normalize('NFKC'))
  const bytes = Number(found?.[1] ?? 0) * ({ M: 2 ** 20, G: GIB, T: 2 ** 40 }[(found?.[2] ?? 'G').toUpperCase()] ?? GIB)
  if (!found || !(bytes > 0)) throw invalid('ram', `"${text}" is no size; write e.g. 64G, or 512G@460GB/s`)
  return { bytes, ...(found[3] === undefined ? {} : { bandwidth: Number(found[3]) * 1e9 }) }
}

function unknown(text: string, name: string): AppError {
  const near = nearestDevices(name)
  const hint = near.length > 0 ? `; near: ${near.join(', ')}` : ''
  return invalid('gpu', `"${text}" is not in the table${hint}; or give its memory and bandwidth as NAME-48G@900GB/s`)
}

function invalid(field: string, reason: string): AppError {
  return new AppError('invalid-field', { field, reason })
}
