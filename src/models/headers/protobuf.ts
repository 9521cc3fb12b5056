/** Just enough of protocol buffers to walk through a message that strangers wrote. Source: protobuf.dev/programming-guides/encoding. */
import { ByteReader } from '../byte-source.ts'
import type { ByteSource } from '../byte-source.ts'

export type ProtobufField =
  /** 64 bits; what does not fit a number is Infinity. */
  | { number: number; wire: 'varint'; value: number }
  | { number: number; wire: 'fixed'; bytes: 4 | 8 }
  /** The bytes lie ahead; whoever handles the field takes or skips them, or they are skipped. */
  | { number: number; wire: 'length'; length: number }

/** The message is broken. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ProtobufError'
  }
}

const LONGEST_VARINT = 10
const CHUNK_BYTES = 64 * 1024

export class ProtobufReader {
  readonly #reader: ByteReader
  readonly #end: number
  readonly #mostFields: number
  #fields = 0

  constructor(source: ByteSource, mostFields: number) {
    this.#reader = new ByteReader(source, source.chunkBytes ?? CHUNK_BYTES)
    this.#end = source.bytes
    this.#mostFields = mostFields
  }

  get remaining(): number {
    return this.#end - this.#reader.offset
  }

  /** Calls `handle` for each field of a message of `length` bytes. What the handler leaves of a field is skipped. Throws ProtobufError. */
  async message(length: number, handle: (field: ProtobufField) => Promise<void> | void): Promise<void> {
    const end = this.#reader.offset + length
    if (length > this.remaining) throw new ProtobufError('it is cut off')
    while (this.#reader.offset < end) {
      this.#fields += 1
      if (this.#fields > this.#mostFields) throw new ProtobufError('it has too many parts')
      const field = await this.#field(end)
      const after = this.#reader.offset + (field.wire === 'length' ? field.length : field.wire === 'fixed' ? field.bytes : 0)
      if (after > end) throw new ProtobufError('a part is longer than the whole')
      const handled = handle(field)
      if (handled !== undefined) await handled
      if (this.#reader.offset > after) throw new ProtobufError('a part is longer than it says')
      this.#reader.skip(after - this.#reader.offset)
    }
    if (this.#reader.offset !== end) throw new ProtobufError('a part is longer than the whole')
  }

  async text(length: number, most: number): Promise<string> {
    if (length > most) throw new ProtobufError(`it has a text of ${length} bytes`)
    if (!(await this.#reader.ensure(length))) throw new ProtobufError('it is cut off')
    return this.#reader.take(length).toString('utf8')
  }

  /** Numbers one after the other, as repeated fields are packed. */
  async packed(length: number, most: number): Promise<number[]> {
    const end = this.#reader.offset + length
    const values: number[] = []
    while (this.#reader.offset < end) {
      if (values.length >= most) throw new ProtobufError('it has too many numbers')
      values.push(await this.#varint(end))
    }
    return values
  }

  async #field(end: number): Promise<ProtobufField> {
    const tag = await this.#varint(end)
    const number = Math.floor(tag / 8)
    if (number < 1 || number > 0x1fff_ffff) throw new ProtobufError('it has a broken part')
    switch (tag % 8) {
      case 0:
        return { number, wire: 'varint', value: await this.#varint(end) }
      case 1:
        return { number, wire: 'fixed', bytes: 8 }
      case 2:
        return { number, wire: 'length', length: await this.#varint(end) }
      case 5:
        return { number, wire: 'fixed', bytes: 4 }
      default:
        throw new ProtobufError('it has a part of an unknown kind')
    }
  }

  async #varint(end: number): Promise<number> {
    const most = Math.min(LONGEST_VARINT, end - this.#reader.offset)
    if (this.#reader.buffered < most) await this.#reader.ensure(most)
    let value = 0
    for (let index = 0; index < most; index += 1) {
      const byte = this.#reader.take(1)[0] ?? 0
      value += (byte & 0x7f) * 2 ** (7 * index)
      if ((byte & 0x80) === 0) return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY
    }
    throw new ProtobufError('it is cut off inside a number')
  }
}
