/**
 * Reads what an ONNX model is, without its weights: inputs and outputs, operator sets, how it is quantised, what lies in other files.
 * Source: onnx/onnx.proto (ModelProto, GraphProto, NodeProto, TensorProto, ValueInfoProto); com.microsoft operators: onnxruntime.
 */
import type { ByteSource } from '../byte-source.ts'
import { printable } from '../printable.ts'
import { damageOf } from './damaged.ts'
import type { HeaderTensor } from './model-header.ts'
import { ProtobufError, ProtobufReader } from './protobuf.ts'
import type { ProtobufField } from './protobuf.ts'

export interface OnnxValue {
  name: string
  type: string
  /** Numbers, or names of what is free, e.g. `batch`. */
  shape: readonly (number | string)[]
}

export interface OnnxModel {
  irVersion: number
  producer?: string
  /** Domain → version; the empty domain is ONNX's own. */
  operatorSets: Readonly<Record<string, number>>
  inputs: readonly OnnxValue[]
  outputs: readonly OnnxValue[]
  /** Operator → how often. */
  operators: Readonly<Record<string, number>>
  initializers: readonly HeaderTensor[]
  /** Files beside it that hold weights. */
  externalFiles: readonly string[]
  /** Operators that compute with quantised weights. */
  quantizedBy: readonly string[]
}

const MOST_FIELDS = 5_000_000
const MOST_INITIALIZERS = 250_000
const MOST_VALUES = 10_000
const MOST_OPERATORS = 2000
const MOST_TEXT = 4096

/** TensorProto.DataType: name and bits. */
const TYPES: Readonly<Record<number, readonly [name: string, bits: number]>> = {
  1: ['F32', 32],
  2: ['U8', 8],
  3: ['I8', 8],
  4: ['U16', 16],
  5: ['I16', 16],
  6: ['I32', 32],
  7: ['I64', 64],
  8: ['STRING', 0],
  9: ['BOOL', 8],
  10: ['F16', 16],
  11: ['F64', 64],
  12: ['U32', 32],
  13: ['U64', 64],
  14: ['C64', 64],
  15: ['C128', 128],
  16: ['BF16', 16],
  17: ['F8_E4M3', 8],
  18: ['F8_E4M3FNUZ', 8],
  19: ['F8_E5M2', 8],
  20: ['F8_E5M2FNUZ', 8],
  21: ['U4', 4],
  22: ['I4', 4],
  23: ['F4', 4],
}

const QUANTIZED =
  /^(QLinear|MatMulNBits|MatMulBnb4|MatMulInteger|ConvInteger|DequantizeLinear|QuantizeLinear|DynamicQuantize|QAttention|QMoE|GatherBlockQuantized)/

/** Throws `damaged-file`. */
export async function parseOnnx(source: ByteSource, path: string): Promise<OnnxModel> {
  const fail = damageOf(path, 'ONNX')
  try {
    const parser = new OnnxParser(source, path)
    await parser.model()
    const model = parser.result()
    if (model.irVersion === 0 || Object.keys(model.operatorSets).length === 0) throw fail('it names no version')
    return model
  } catch (error) {
    throw error instanceof ProtobufError ? fail(error.message) : error
  }
}

/** Begins with ir_version (field 1, a number below 100), then another known field of ModelProto. */
export function looksLikeOnnx(head: Uint8Array): boolean {
  const [tag, version = 0, next = 0] = head
  return tag === 0x08 && version >= 3 && version < 100 && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(next)
}

class OnnxParser {
  readonly #reader: ProtobufReader
  readonly #path: string
  readonly #operatorSets: Record<string, number> = {}
  readonly #inputs: OnnxValue[] = []
  readonly #outputs: OnnxValue[] = []
  readonly #operators = new Map<string, number>()
  readonly #initializers: HeaderTensor[] = []
  readonly #externalFiles = new Set<string>()
  #irVersion = 0
  #producer = ''

  constructor(source: ByteSource, path: string) {
    this.#reader = new ProtobufReader(source, MOST_FIELDS)
    this.#path = path
  }

  result(): OnnxModel {
    // What is initialised is no input, though old files list it so.
    const constants = new Set(this.#initializers.map(({ name }) => name))
    return {
      irVersion: this.#irVersion,
      ...(this.#producer === '' ? {} : { producer: this.#producer }),
      operatorSets: this.#operatorSets,
      inputs: this.#inputs.filter(({ name }) => !constants.has(name)),
      outputs: this.#outputs,
      operators: Object.fromEntries(this.#operators),
      initializers: this.#initializers,
      externalFiles: [...this.#externalFiles],
      quantizedBy: [...this.#operators.keys()].filter((name) => QUANTIZED.test(name)),
    }
  }

  async model(): Promise<void> {
    await this.#reader.message(this.#reader.remaining, async (field) => {
      if (field.number === 1 && field.wire === 'varint') this.#irVersion = field.value
      if (field.wire !== 'length') return
      if (field.number === 2) this.#producer = printable(await this.#reader.text(field.length, MOST_TEXT))
      if (field.number === 7) await this.#graph(field.length)
      if (field.number === 8) await this.#operatorSet(field.length)
    })
  }

  async #operatorSet(length: number): Promise<void> {
    let domain = ''
    let version = 0
    await this.#reader.message(length, async (field) => {
      if (field.number === 1 && field.wire === 'length') domain = printable(await this.#reader.text(field.length, MOST_TEXT))
      if (field.number === 2 && field.wire === 'varint') version = field.value
    })
    if (Object.keys(this.#operatorSets).length < 100)
      Object.defineProperty(this.#operatorSets, domain, { value: version, enumerable: true, configurable: true })
  }

  /** Only the outermost: bodies of loops are part of their node. */
  async #graph(length: number): Promise<void> {
    await this.#reader.message(length, async (field) => {
      if (field.wire !== 'length') return
      if (field.number === 1) await this.#node(field.length)
      if (field.number === 5) await this.#initializer(field.length)
      if (field.number === 11) await this.#value(field.length, this.#inputs)
      if (field.number === 12) await this.#value(field.length, this.#outputs)
    })
  }

  async #node(length: number): Promise<void> {
    await this.#reader.message(length, async (field) => {
      if (field.number !== 4 || field.wire !== 'length') return
      const name = printable(await this.#reader.text(field.length, MOST_TEXT))
      if (this.#operators.has(name) || this.#operators.size < MOST_OPERATORS)
        this.#operators.set(name, (this.#operators.get(name) ?? 0) + 1)
    })
  }

  async #initializer(length: number): Promise<void> {
    let name = ''
    let typeId = 0
    let isExternal = false
    const shape: number[] = []
    await this.#reader.message(length, async (field) => {
      if (field.number === 1) shape.push(...(await this.#dimensions(field)))
      if (shape.length > 64) throw new ProtobufError('a tensor has too many dimensions')
      if (field.number === 2 && field.wire === 'varint') typeId = field.value
      if (field.number === 14 && field.wire === 'varint') isExternal = field.value === 1
      if (field.wire !== 'length') return
      if (field.number === 8) name = await this.#reader.text(field.length, MOST_TEXT)
      if (field.number === 13) await this.#external(field.length)
    })
    if (this.#initializers.length >= MOST_INITIALIZERS) throw new ProtobufError('it has too many tensors')
    const [type, bits] = TYPES[typeId] ?? ['unknown', 0]
    const elements = shape.reduce((product, size) => product * size, 1)
    if (!Number.isSafeInteger(elements * bits)) throw new ProtobufError('a tensor has an impossible shape')
    this.#initializers.push({ name, shape, type, bytes: Math.ceil((elements * bits) / 8), ...(isExternal ? {} : { file: this.#path }) })
  }

  async #dimensions(field: ProtobufField): Promise<number[]> {
    if (field.wire === 'varint') return [field.value]
    return field.wire === 'length' ? this.#reader.packed(field.length, 64) : []
  }

  /** Key and value; the key `location` names the file. */
  async #external(length: number): Promise<void> {
    let key = ''
    let value = ''
    await this.#reader.message(length, async (field) => {
      if (field.wire !== 'length') return
      if (field.number === 1) key = await this.#reader.text(field.length, MOST_TEXT)
      if (field.number === 2) value = await this.#reader.text(field.length, MOST_TEXT)
    })
    if (key === 'location' && this.#externalFiles.size < 100) this.#externalFiles.add(printable(value))
  }

  async #value(length: number, into: OnnxValue[]): Promise<void> {
    let name = ''
    let type: Pick<OnnxValue, 'type' | 'shape'> = { type: 'unknown', shape: [] }
    await this.#reader.message(length, async (field) => {
      if (field.wire !== 'length') return
      if (field.number === 1) name = printable(await this.#reader.text(field.length, MOST_TEXT))
      if (field.number === 2) type = await this.#type(field.length)
    })
    if (into.length >= MOST_VALUES) throw new ProtobufError('it has too many inputs or outputs')
    into.push({ name, ...type })
  }

  /** TypeProto with a tensor type inside; other kinds stay unknown. */
  async #type(length: number): Promise<Pick<OnnxValue, 'type' | 'shape'>> {
    let type = 'unknown'
    const shape: (number | string)[] = []
    const dimension = async (field: ProtobufField): Promise<void> => {
      if (field.number === 1 && field.wire === 'varint') shape.push(field.value)
      if (field.number === 2 && field.wire === 'length') shape.push(printable(await this.#reader.text(field.length, MOST_TEXT)))
      if (shape.length > 64) throw new ProtobufError('a value has too many dimensions')
    }
    await this.#reader.message(length, async (outer) => {
      if (outer.number !== 1 || outer.wire !== 'length') return
      await this.#reader.message(outer.length, async (tensor) => {
        if (tensor.number === 1 && tensor.wire === 'varint') type = TYPES[tensor.value]?.[0] ?? 'unknown'
        if (tensor.number !== 2 || tensor.wire !== 'length') return
        await this.#reader.message(tensor.length, async (entry) => {
          if (entry.number === 1 && entry.wire === 'length') await this.#reader.message(entry.length, dimension)
        })
      })
    })
    return { type, shape }
  }
}
