/**
 * Reads the header of a safetensors file: 8 bytes of length, JSON, then the tensors' bytes. As strict as the reference reader:
 * the tensors must fill the file without holes and without overlap.
 * Format: huggingface/safetensors README.md "Format" and safetensors/src/tensor.rs.
 */
import type { ByteSource } from '../byte-source.ts'
import { printable } from '../printable.ts'
import { damageOf } from './damaged.ts'
import { JsonScanner } from './json-scanner.ts'
import type { HeaderTensor } from './model-header.ts'
import { safetensorsBits } from './safetensors-types.ts'

export interface SafetensorsHeader {
  tensors: readonly HeaderTensor[]
  /** `__metadata__`: texts of whoever wrote it, e.g. `format: pt`. */
  metadata: Readonly<Record<string, string>>
  /** Of the length and the JSON. */
  headerBytes: number
  /** Of the whole file. */
  bytes: number
}

export interface SafetensorsLimits {
  headerBytes: number
  tensors: number
  dimensions: number
  metadataEntries: number
  metadataBytes: number
}

/** The format itself allows headers of 100 MB; the largest that was published (688 GB in 163 files) has 0.1 MB a file. */
export const SAFETENSORS_LIMITS: SafetensorsLimits = {
  headerBytes: 100_000_000,
  tensors: 250_000,
  dimensions: 16,
  metadataEntries: 1000,
  metadataBytes: 4_000_000,
}

/** `path` is for messages and becomes each tensor's file. Throws `damaged-file`. */
export async function parseSafetensors(
  source: ByteSource,
  path: string,
  limits: Partial<SafetensorsLimits> = {},
): Promise<SafetensorsHeader> {
  const bound = { ...SAFETENSORS_LIMITS, ...limits }
  const fail = damageOf(path, 'safetensors')
  const length = headerLength(await source.read(0, 8), source.bytes, bound, fail)
  const text = await source.read(8, length)
  if (text.length < length) throw fail('it ends inside its header')
  const { tensors, metadata } = readHeader(text, path, bound, fail)
  checkLayout(tensors, source.bytes - 8 - length, fail)
  return {
    tensors: tensors.map(({ start: _start, end: _end, ...tensor }) => tensor),
    metadata,
    headerBytes: 8 + length,
    bytes: source.bytes,
  }
}

/** Whether these first bytes begin a safetensors file: a plausible length, then `{`. */
export function looksLikeSafetensors(head: Uint8Array, bytes: number): boolean {
  if (head.length < 10 || head[8] !== 0x7b) return false
  const length = Buffer.from(head.buffer, head.byteOffset, 8).readBigUInt64LE()
  return length >= 2n && length <= BigInt(Math.max(SAFETENSORS_LIMITS.headerBytes, bytes))
}

type Fail = (reason: string) => Error

function headerLength(head: Uint8Array, bytes: number, limits: SafetensorsLimits, fail: Fail): number {
  if (head.length < 8) throw fail(`it has ${bytes} bytes only`)
  const claimed = Buffer.from(head.buffer, head.byteOffset, 8).readBigUInt64LE()
  if (claimed > BigInt(limits.headerBytes)) throw fail(`its header claims ${claimed} bytes`)
  const length = Number(claimed)
  if (length < 2) throw fail('its header is empty')
  if (8 + length > bytes) throw fail(`it is truncated: the header has ${length} bytes and the file ${bytes}`)
  return length
}

interface PlacedTensor extends HeaderTensor {
  start: number
  end: number
}

function readHeader(
  text: Uint8Array,
  path: string,
  limits: SafetensorsLimits,
  fail: Fail,
): { tensors: PlacedTensor[]; metadata: Record<string, string> } {
  const scanner = new JsonScanner(text, fail)
  const tensors: PlacedTensor[] = []
  const names = new Set<string>()
  let metadata: Record<string, string> = {}
  if (scanner.peek() !== '{') throw fail('its header is not JSON')
  scanner.object((name) => {
    if (names.has(name)) throw fail(`"${printable(name)}" occurs twice`)
    if (names.size >= limits.tensors) throw fail(`it has more than ${limits.tensors} tensors`)
    names.add(name)
    if (name === '__metadata__') metadata = readMetadata(scanner, limits, fail)
    else tensors.push({ ...readTensor(scanner, name, limits, fail), file: path })
  })
  scanner.end()
  return { tensors, metadata }
}

function readMetadata(scanner: JsonScanner, limits: SafetensorsLimits, fail: Fail): Record<string, string> {
  const entries: [string, string][] = []
  let bytes = 0
  scanner.object((key) => {
    const value = scanner.string(limits.metadataBytes)
    bytes += key.length + value.length
    if (entries.length >= limits.metadataEntries || bytes > limits.metadataBytes) throw fail('its metadata are too long')
    entries.push([key, value])
  })
  return Object.fromEntries(entries)
}

function readTensor(scanner: JsonScanner, name: string, limits: SafetensorsLimits, fail: Fail): PlacedTensor {
  // Most tensors are well: their messages are made only when they are needed.
  const wrong = (reason: string): Error => fail(`the tensor "${printable(name)}" ${reason}`)
  let type: string | undefined
  let shape: number[] | undefined
  let offsets: number[] | undefined
  scanner.object((key) => {
    if (key === 'dtype' && type === undefined) type = scanner.string(32)
    else if (key === 'shape' && shape === undefined) shape = naturals(scanner, limits.dimensions, wrong)
    else if (key === 'data_offsets' && offsets === undefined) offsets = naturals(scanner, 2, wrong)
    else throw wrong(`has the unknown or repeated entry "${printable(key)}"`)
  })
  const [start, end] = offsets ?? []
  if (type === undefined || shape === undefined || start === undefined || end === undefined) throw wrong('is not described')
  const bytes = bytesOf(type, shape, wrong)
  if (end - start !== bytes) throw wrong(`of ${type} ${shape.join('×')} takes ${bytes} bytes, and ${end - start} are given`)
  return { name, shape, type, bytes, start, end }
}

function naturals(scanner: JsonScanner, most: number, wrong: Fail): number[] {
  const values: number[] = []
  scanner.array(() => {
    if (values.length >= most) throw wrong(`has more than ${most} dimensions or offsets`)
    values.push(scanner.natural())
  })
  return values
}

function bytesOf(type: string, shape: readonly number[], wrong: Fail): number {
  const bits = safetensorsBits(type)
  if (bits === undefined) throw wrong(`has the unknown type "${printable(type)}"`)
  const total = shape.reduce((product, size) => product * size, 1) * bits
  if (!Number.isSafeInteger(total)) throw wrong(`has the impossible shape ${shape.join('×')}`)
  if (total % 8 !== 0) throw wrong('does not fill whole bytes')
  return total / 8
}

function checkLayout(tensors: readonly PlacedTensor[], dataBytes: number, fail: Fail): void {
  let at = 0
  for (const tensor of tensors.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (tensor.start !== at)
      throw fail(`the tensor "${printable(tensor.name)}" ${tensor.start < at ? 'overlaps another one' : 'leaves a hole before it'}`)
    at = tensor.end
  }
  if (at > dataBytes) throw fail(`it is truncated: its tensors take ${at} bytes, and ${dataBytes} are there`)
  if (at < dataBytes) throw fail(`${dataBytes - at} bytes of it belong to no tensor`)
}
