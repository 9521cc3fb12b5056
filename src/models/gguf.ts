/**
 * Reads the header of a GGUF file: metadata and the list of tensors. The file may be hostile: no length in it is trusted,
 * memory and time are bounded by the limits, and everything that native code would stumble over is refused here.
 * Format: llama.cpp ggml/include/gguf.h (versions 2 and 3, little-endian).
 */
import { AppError } from '../shared/errors.ts'
import { ByteReader, openFileSource } from './byte-source.ts'
import type { ByteSource } from './byte-source.ts'
import { ggmlType, rowBytes } from './ggml-types.ts'
import type { GgmlType } from './ggml-types.ts'
import { describeForeignFile } from './foreign-file.ts'
import { printable } from './printable.ts'

export type GgufScalar = string | number | bigint | boolean

export interface GgufArray {
  /** Of each element: `string`, `u32`, … */
  elementType: string
  length: number
  /** Absent when the array is longer than `keptArrayElements`. */
  values?: readonly GgufScalar[]
}

/** 64-bit integers that a number cannot hold exactly are bigints. */
export type GgufValue = GgufScalar | GgufArray

export interface GgufTensor {
  name: string
  /** Innermost first, as ggml's `ne`. */
  shape: readonly number[]
  type: GgmlType
  /** From the start of the tensor data. */
  offset: number
  bytes: number
}

export interface GgufHeader {
  version: number
  metadata: ReadonlyMap<string, GgufValue>
  /** Of each metadata entry: `u32`, `string`, `array` … Whoever writes it again needs to know. */
  types: ReadonlyMap<string, string>
  tensors: readonly GgufTensor[]
  /** Where tensor data starts in the file. */
  dataOffset: number
  /** Of the whole file. */
  bytes: number
}

export interface GgufLimits {
  metadataEntries: number
  keyBytes: number
  /** Of one string that is kept (chat templates are the longest). */
  stringBytes: number
  arrayElements: number
  /** Longer arrays (vocabularies) are checked but not kept. */
  keptArrayElements: number
  tensors: number
  /** Of metadata and tensor list together. */
  headerBytes: number
}

export const GGUF_LIMITS: GgufLimits = {
  metadataEntries: 10_000,
  keyBytes: 65_535,
  stringBytes: 16_000_000,
  arrayElements: 16_000_000,
  keptArrayElements: 4096,
  tensors: 100_000,
  headerBytes: 256_000_000,
}

/** ggml's GGML_MAX_NAME and GGML_MAX_DIMS. */
const MAX_TENSOR_NAME_BYTES = 63
const MAX_DIMENSIONS = 4

interface ScalarType {
  name: string
  bytes: number
  read: (data: Buffer, at: number) => GgufScalar
}

const scalarTypes: Readonly<Record<number, ScalarType>> = {
  0: { name: 'u8', bytes: 1, read: (data, at) => data.readUInt8(at) },
  1: { name: 'i8', bytes: 1, read: (data, at) => data.readInt8(at) },
  2: { name: 'u16', bytes: 2, read: (data, at) => data.readUInt16LE(at) },
  3: { name: 'i16', bytes: 2, read: (data, at) => data.readInt16LE(at) },
  4: { name: 'u32', bytes: 4, read: (data, at) => data.readUInt32LE(at) },
  5: { name: 'i32', bytes: 4, read: (data, at) => data.readInt32LE(at) },
  6: { name: 'f32', bytes: 4, read: (data, at) => data.readFloatLE(at) },
  7: { name: 'bool', bytes: 1, read: (data, at) => data.readUInt8(at) !== 0 },
  10: { name: 'u64', bytes: 8, read: (data, at) => exact(data.readBigUInt64LE(at)) },
  11: { name: 'i64', bytes: 8, read: (data, at) => exact(data.readBigInt64LE(at)) },
  12: { name: 'f64', bytes: 8, read: (data, at) => data.readDoubleLE(at) },
}
const STRING = 8
const ARRAY = 9

/**
 * Reads and checks the header of a file; also that the file holds all its tensors.
 * Throws `file-not-found`, `invalid-model-file`, and `unknown-format` for what is no file at all.
 */
export async function readGgufHeader(file: string, limits: Partial<GgufLimits> = {}): Promise<GgufHeader> {
  let source
  try {
    source = await openFileSource(file)
  } catch (error) {
    if (error instanceof AppError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new AppError('file-not-found', { path: file }, { cause: error })
    throw new AppError('invalid-model-file', { path: file, reason: `it cannot be read (${code ?? String(error)})` }, { cause: error })
  }
  try {
    return await parseGguf(source, file, limits)
  } catch (error) {
    if (error instanceof AppError) throw error
    // These come with the first read: the path of a folder, and a disk that fails.
    const isFolder = (error as NodeJS.ErrnoException).code === 'EISDIR'
    const reason = isFolder ? 'it is a folder; name the .gguf file in it' : error instanceof Error ? error.message : String(error)
    throw new AppError('invalid-model-file', { path: file, reason }, { cause: error })
  } finally {
    await source.close()
  }
}

/** As `readGgufHeader`, from any source. `name` is for messages. Throws `invalid-model-file`. */
export async function parseGguf(source: ByteSource, name: string, limits: Partial<GgufLimits> = {}): Promise<GgufHeader> {
  const parser = new Parser(source, name, { ...GGUF_LIMITS, ...limits })
  return parser.parse()
}

class Parser {
  readonly #source: ByteSource
  readonly #name: string
  readonly #limits: GgufLimits
  readonly #reader: ByteReader
  readonly #types = new Map<string, string>()
  #keptBytes = 0

  constructor(source: ByteSource, name: string, limits: GgufLimits) {
    this.#source = source
    this.#name = name
    this.#limits = limits
    this.#reader = new ByteReader(source)
  }

  async parse(): Promise<GgufHeader> {
    const version = await this.#version()
    const tensorCount = await this.#u64()
    const metadataCount = await this.#u64()
    this.#check(tensorCount <= this.#limits.tensors, `it claims ${tensorCount} tensors`)
    this.#check(metadataCount <= this.#limits.metadataEntries, `it claims ${metadataCount} metadata entries`)
    const metadata = await this.#metadata(metadataCount)
    const tensors = await this.#tensors(tensorCount)
    const alignment = this.#alignment(metadata)
    const dataOffset = roundUp(this.#reader.offset, alignment)
    this.#checkLayout(tensors, alignment, dataOffset)
    return { version, metadata, types: this.#types, tensors, dataOffset, bytes: this.#source.bytes }
  }

  async #version(): Promise<number> {
    const head = await this.#source.read(0, 512)
    const foreign = describeForeignFile(head, this.#source.bytes)
    if (foreign !== undefined) throw this.#error(foreign)
    await this.#need(8)
    this.#reader.skip(4)
    const version = this.#reader.u32()
    this.#check((version & 0xffff) !== 0 || version === 0, 'it is big-endian, made for another kind of processor')
    this.#check(version !== 1, 'it has GGUF version 1, which is no longer supported')
    this.#check(version === 2 || version === 3, `it has GGUF version ${version}, and 2 and 3 are known`)
    return version
  }

  async #metadata(count: number): Promise<Map<string, GgufValue>> {
    const metadata = new Map<string, GgufValue>()
    for (let index = 0; index < count; index += 1) {
      const key = await this.#string(this.#limits.keyBytes, `the name of metadata entry ${index}`)
      this.#check(!metadata.has(key), `the metadata entry "${printable(key)}" occurs twice`)
      metadata.set(key, await this.#value(key))
    }
    return metadata
  }

  async #value(key: string): Promise<GgufValue> {
    const type = await this.#u32()
    this.#types.set(key, type === STRING ? 'string' : type === ARRAY ? 'array' : this.#scalarType(type, key).name)
    if (type === STRING) return this.#string(this.#limits.stringBytes, `"${printable(key)}"`)
    if (type === ARRAY) return this.#array(key)
    const scalar = this.#scalarType(type, key)
    await this.#need(scalar.bytes)
    return scalar.read(this.#reader.take(scalar.bytes), 0)
  }

  #scalarType(type: number, key: string): ScalarType {
    const scalar = Object.hasOwn(scalarTypes, type) ? scalarTypes[type] : undefined
    if (scalar === undefined) throw this.#error(`the metadata entry "${printable(key)}" has the unknown type ${type}`)
    return scalar
  }

  async #array(key: string): Promise<GgufArray> {
    const type = await this.#u32()
    const length = await this.#u64()
    this.#check(length <= this.#limits.arrayElements, `the list "${printable(key)}" claims ${length} elements`)
    const keep = length <= this.#limits.keptArrayElements
    if (type === STRING) return { elementType: 'string', length, ...(await this.#strings(length, keep, key)) }
    // llama.cpp knows no lists of lists either.
    this.#check(type !== ARRAY, `the list "${printable(key)}" holds lists`)
    const scalar = this.#scalarType(type, key)
    const bytes = scalar.bytes * length
    this.#checkRoom(bytes)
    if (!keep) {
      this.#reader.skip(bytes)
      return { elementType: scalar.name, length }
    }
    await this.#need(bytes)
    const data = this.#reader.take(bytes)
    return { elementType: scalar.name, length, values: Array.from({ length }, (_, index) => scalar.read(data, index * scalar.bytes)) }
  }

  async #strings(length: number, keep: boolean, key: string): Promise<{ values?: string[] }> {
    // Each string takes 8 bytes at least: a huge count in a small file ends here.
    this.#checkRoom(length * 8)
    const values: string[] = []
    for (let index = 0; index < length; index += 1) {
      if (keep) {
        values.push(await this.#string(this.#limits.stringBytes, `"${printable(key)}"`))
        continue
      }
      if (this.#reader.buffered < 8) await this.#need(8)
      const bytes = this.#reader.u64()
      if (bytes > this.#reader.buffered) this.#checkRoom(bytes)
      this.#reader.skip(bytes)
    }
    return keep ? { values } : {}
  }

  async #tensors(count: number): Promise<GgufTensor[]> {
    const tensors: GgufTensor[] = []
    const names = new Set<string>()
    for (let index = 0; index < count; index += 1) {
      const name = await this.#string(MAX_TENSOR_NAME_BYTES, `the name of tensor ${index}`)
      this.#check(!names.has(name), `the tensor "${printable(name)}" occurs twice`)
      names.add(name)
      tensors.push(await this.#tensor(name))
    }
    return tensors
  }

  async #tensor(name: string): Promise<GgufTensor> {
    const label = `the tensor "${printable(name)}"`
    const dimensions = await this.#u32()
    this.#check(dimensions <= MAX_DIMENSIONS, `${label} has ${dimensions} dimensions`)
    await this.#need(dimensions * 8 + 12)
    const shape = Array.from({ length: dimensions }, () => this.#reader.u64())
    const typeId = this.#reader.u32()
    const offset = this.#reader.u64()
    const elements = shape.reduce((product, size) => product * size, 1)
    this.#check(Number.isSafeInteger(elements) && shape.every((size) => size > 0), `${label} has the impossible shape ${shape.join('×')}`)
    const type = ggmlType(typeId)
    if (type === undefined) throw this.#error(`${label} has the unknown type ${typeId}`)
    const row = shape[0] ?? 1
    this.#check(row % type.blockSize === 0, `${label} has rows of ${row}, and ${type.name} needs a multiple of ${type.blockSize}`)
    const bytes = rowBytes(type, elements)
    this.#check(Number.isSafeInteger(bytes), `${label} is impossibly large`)
    return { name, shape, type, offset, bytes }
  }

  #alignment(metadata: ReadonlyMap<string, GgufValue>): number {
    const value = metadata.get('general.alignment') ?? 32
    const valid = typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 2 ** 20 && (value & (value - 1)) === 0
    this.#check(valid, `its alignment is ${printable(String(value))}`)
    return typeof value === 'number' ? value : 32
  }

  /** As llama.cpp: tensors lie one after the other, each padded to the alignment, and all inside the file. */
  #checkLayout(tensors: readonly GgufTensor[], alignment: number, dataOffset: number): void {
    let expected = 0
    for (const tensor of tensors) {
      const label = `the tensor "${printable(tensor.name)}"`
      this.#check(tensor.offset === expected, `${label} lies at ${tensor.offset} instead of ${expected}`)
      const end = dataOffset + tensor.offset + tensor.bytes
      if (end > this.#source.bytes) {
        throw this.#error(`it is truncated: ${label} ends at ${end}, and the file has ${this.#source.bytes} bytes`)
      }
      expected += roundUp(tensor.bytes, alignment)
    }
  }

  async #string(limit: number, label: string): Promise<string> {
    const bytes = await this.#u64()
    this.#check(bytes <= limit, `${label} claims ${bytes} bytes`)
    this.#keptBytes += bytes
    this.#check(this.#keptBytes <= this.#limits.stringBytes * 4, 'its texts are too long')
    await this.#need(bytes)
    return this.#reader.take(bytes).toString('utf8')
  }

  async #u32(): Promise<number> {
    await this.#need(4)
    return this.#reader.u32()
  }

  async #u64(): Promise<number> {
    await this.#need(8)
    return this.#reader.u64()
  }

  async #need(bytes: number): Promise<void> {
    if (this.#reader.buffered >= bytes) return
    this.#checkRoom(bytes)
    if (!(await this.#reader.ensure(bytes))) throw this.#error('it ends inside the header')
  }

  #checkRoom(bytes: number): void {
    if (bytes > this.#reader.remaining)
      throw this.#error(`it is truncated: the file has ${this.#source.bytes} bytes and the header needs more`)
    this.#check(this.#reader.offset + bytes <= this.#limits.headerBytes, 'its header is too large')
  }

  #check(condition: boolean, reason: string): void {
    if (!condition) throw this.#error(reason)
  }

  #error(reason: string): AppError {
    return new AppError('invalid-model-file', { path: this.#name, reason })
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
