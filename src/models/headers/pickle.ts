/**
 * Reads Python pickles without ever unpickling: the opcodes only build inert data, and every name that Python would import or call is noted.
 * Opcodes: CPython Lib/pickletools.py, protocols 0 to 5.
 */
import { dict, PICKLE_LIMITS, PickleMachine, sequence } from './pickle-machine.ts'
import type { PickleLimits } from './pickle-machine.ts'
import { PickleError } from './pickle-value.ts'
import type { PickledName, PickleValue } from './pickle-value.ts'

export interface PickleContents {
  /** One for each pickle of the data, in order. */
  values: PickleValue[]
  names: PickledName[]
  /** Bytes up to the end of the last one. */
  bytes: number
}

/** Longer whole numbers are not numbers that a model needs. */
const LONGEST_NUMBER = 256
const LONGEST_LINE = 1_000_000

/** Reads `count` pickles that follow each other. Throws PickleError. */
export function readPickles(data: Uint8Array, count = 1, limits: Partial<PickleLimits> = {}): PickleContents {
  const reader = new PickleReader(data, { ...PICKLE_LIMITS, ...limits })
  const values: PickleValue[] = []
  while (values.length < count) values.push(reader.read())
  return { values, names: reader.machine.names, bytes: reader.at }
}

class PickleReader {
  readonly machine: PickleMachine
  at = 0
  readonly #data: Buffer
  readonly #limits: PickleLimits
  #operations = 0

  constructor(data: Uint8Array, limits: PickleLimits) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#limits = limits
    this.machine = new PickleMachine(limits)
  }

  /** Up to the next STOP. */
  read(): PickleValue {
    this.machine.reset()
    for (;;) {
      this.#operations += 1
      if (this.#operations > this.#limits.operations) throw new PickleError('it has too many steps')
      const opcode = this.bytes(1)[0] ?? 0
      if (opcode === STOP) return this.machine.pop()
      const operation = OPERATIONS[opcode]
      if (operation === undefined) throw new PickleError(`byte ${this.at - 1} is no opcode (0x${opcode.toString(16)})`)
      operation(this, this.machine)
    }
  }

  bytes(length: number): Buffer {
    if (length > this.#data.length - this.at) throw new PickleError('it is cut off')
    this.at += length
    return this.#data.subarray(this.at - length, this.at)
  }

  u8(): number {
    return this.bytes(1).readUInt8()
  }

  u16(): number {
    return this.bytes(2).readUInt16LE()
  }

  u32(): number {
    return this.bytes(4).readUInt32LE()
  }

  u64(): number {
    const value = Number(this.bytes(8).readBigUInt64LE())
    if (!Number.isSafeInteger(value)) throw new PickleError('it claims an impossible length')
    return value
  }

  utf8(length: number): string {
    return this.machine.text(this.bytes(length).toString('utf8'))
  }

  line(): string {
    const end = this.#data.indexOf(0x0a, this.at)
    if (end < 0 || end - this.at > LONGEST_LINE) throw new PickleError('it is cut off')
    const text = this.utf8(end - this.at)
    this.at = end + 1
    return text
  }

  index(): number {
    const value = Number(this.line())
    if (!Number.isSafeInteger(value) || value < 0) throw new PickleError('it names an impossible place of its memo')
    return value
  }

  skipped(length: number): PickleValue {
    this.bytes(length)
    return this.machine.make({ kind: 'bytes', length })
  }

  /** Little-endian, two's complement, of any length. */
  long(length: number): PickleValue {
    if (length > LONGEST_NUMBER) return this.skipped(length)
    const data = this.bytes(length)
    let value = 0n
    for (let index = length - 1; index >= 0; index -= 1) value = (value << 8n) | BigInt(data[index] ?? 0)
    if (length > 0 && ((data[length - 1] ?? 0) & 0x80) !== 0) value -= 1n << BigInt(length * 8)
    return exact(value)
  }

  decimal(text: string): PickleValue {
    if (text === '00' || text === '01') return text === '01'
    const digits = text.trim().replace(/L$/, '')
    if (!/^-?\d{1,600}$/.test(digits)) throw new PickleError('it has a broken number')
    return exact(BigInt(digits))
  }
}

type Operation = (reader: PickleReader, machine: PickleMachine) => void

const STOP = 0x2e

const OPERATIONS: Readonly<Record<number, Operation>> = {
  ...numbers(),
  ...texts(),
  ...containers(),
  ...memory(),
  ...calls(),
}

function numbers(): Record<number, Operation> {
  return {
    [code('F')]: (reader, machine) => machine.push(Number(reader.line())),
    [code('I')]: (reader, machine) => machine.push(reader.decimal(reader.line())),
    [code('L')]: (reader, machine) => machine.push(reader.decimal(reader.line())),
    [code('J')]: (reader, machine) => machine.push(reader.bytes(4).readInt32LE()),
    [code('K')]: (reader, machine) => machine.push(reader.u8()),
    [code('M')]: (reader, machine) => machine.push(reader.u16()),
    [code('G')]: (reader, machine) => machine.push(reader.bytes(8).readDoubleBE()),
    [code('N')]: (_reader, machine) => machine.push(null),
    0x88: (_reader, machine) => machine.push(true),
    0x89: (_reader, machine) => machine.push(false),
    0x8a: (reader, machine) => machine.push(reader.long(reader.u8())),
    0x8b: (reader, machine) => machine.push(reader.long(reader.u32())),
  }
}

function texts(): Record<number, Operation> {
  return {
    [code('S')]: (reader, machine) => machine.push(reader.line().replace(/^(['"])(.*)\1$/s, '$2')),
    [code('V')]: (reader, machine) => machine.push(reader.line()),
    [code('T')]: (reader, machine) => machine.push(reader.utf8(reader.u32())),
    [code('U')]: (reader, machine) => machine.push(reader.utf8(reader.u8())),
    [code('X')]: (reader, machine) => machine.push(reader.utf8(reader.u32())),
    0x8c: (reader, machine) => machine.push(reader.utf8(reader.u8())),
    0x8d: (reader, machine) => machine.push(reader.utf8(reader.u64())),
    [code('B')]: (reader, machine) => machine.push(reader.skipped(reader.u32())),
    [code('C')]: (reader, machine) => machine.push(reader.skipped(reader.u8())),
    0x8e: (reader, machine) => machine.push(reader.skipped(reader.u64())),
    0x96: (reader, machine) => machine.push(reader.skipped(reader.u64())),
    0x97: (_reader, machine) => machine.push(machine.make({ kind: 'bytes', length: 0 })),
    0x98: () => {},
  }
}

function containers(): Record<number, Operation> {
  const tupleOf =
    (count: number): Operation =>
    (_reader, machine) => {
      const items = Array.from({ length: count }, () => machine.pop()).toReversed()
      machine.push(machine.make(sequence('tuple', items)))
    }
  const marked =
    (kind: 'list' | 'tuple' | 'set'): Operation =>
    (_reader, machine) =>
      machine.push(machine.make(sequence(kind, machine.popMark())))
  return {
    [code(')')]: tupleOf(0),
    0x85: tupleOf(1),
    0x86: tupleOf(2),
    0x87: tupleOf(3),
    [code('t')]: marked('tuple'),
    [code('l')]: marked('list'),
    0x91: marked('set'),
    [code(']')]: (_reader, machine) => machine.push(machine.make(sequence('list', []))),
    0x8f: (_reader, machine) => machine.push(machine.make(sequence('set', []))),
    [code('}')]: (_reader, machine) => machine.push(machine.make(dict())),
    [code('d')]: (_reader, machine) => {
      const flat = machine.popMark()
      const made = machine.make(dict())
      machine.set(made, flat)
      machine.push(made)
    },
    [code('a')]: (_reader, machine) => {
      const item = machine.pop()
      machine.append(machine.top(), [item])
    },
    [code('e')]: (_reader, machine) => {
      const items = machine.popMark()
      machine.append(machine.top(), items)
    },
    0x90: (_reader, machine) => {
      const items = machine.popMark()
      machine.append(machine.top(), items)
    },
    [code('s')]: (_reader, machine) => {
      const value = machine.pop()
      const key = machine.pop()
      machine.set(machine.top(), [key, value])
    },
    [code('u')]: (_reader, machine) => {
      const flat = machine.popMark()
      machine.set(machine.top(), flat)
    },
  }
}

function memory(): Record<number, Operation> {
  return {
    [code('(')]: (_reader, machine) => machine.mark(),
    [code('0')]: (_reader, machine) => void machine.pop(),
    [code('1')]: (_reader, machine) => void machine.popMark(),
    [code('2')]: (_reader, machine) => machine.push(machine.top()),
    [code('g')]: (reader, machine) => machine.recall(reader.index()),
    [code('h')]: (reader, machine) => machine.recall(reader.u8()),
    [code('j')]: (reader, machine) => machine.recall(reader.u32()),
    [code('p')]: (reader, machine) => machine.memoize(reader.index()),
    [code('q')]: (reader, machine) => machine.memoize(reader.u8()),
    [code('r')]: (reader, machine) => machine.memoize(reader.u32()),
    0x94: (_reader, machine) => machine.memoize(),
    0x80: (reader) => {
      if (reader.u8() > 5) throw new PickleError('it has an unknown protocol')
    },
    0x95: (reader) => void reader.u64(),
    [code('P')]: (reader, machine) => machine.push(machine.make({ kind: 'reference', id: reader.line() })),
    [code('Q')]: (_reader, machine) => machine.push(machine.make({ kind: 'reference', id: machine.pop() })),
  }
}

/** The only dangerous ones: where Python would import and call. */
function calls(): Record<number, Operation> {
  const extension =
    (read: (reader: PickleReader) => number, name: string): Operation =>
    (reader, machine) =>
      machine.push(machine.global(`copyreg extension ${read(reader)}`, name))
  return {
    [code('c')]: (reader, machine) => {
      const module = reader.line()
      machine.push(machine.global(`${module}.${reader.line()}`, 'GLOBAL'))
    },
    0x93: (_reader, machine) => {
      const name = machine.pop()
      const module = machine.pop()
      const isText = typeof name === 'string' && typeof module === 'string'
      machine.push(machine.global(isText ? `${module}.${name}` : '?', 'STACK_GLOBAL'))
    },
    [code('i')]: (reader, machine) => {
      const module = reader.line()
      const callee = machine.global(`${module}.${reader.line()}`, 'INST')
      machine.push(machine.call(callee, machine.make(sequence('tuple', machine.popMark())), 'INST'))
    },
    [code('o')]: (_reader, machine) => {
      const [callee = null, ...given] = machine.popMark()
      machine.push(machine.call(callee, machine.make(sequence('tuple', given)), 'OBJ'))
    },
    [code('R')]: reduce('REDUCE'),
    0x81: reduce('NEWOBJ'),
    0x92: (_reader, machine) => {
      machine.pop()
      reduce('NEWOBJ_EX')(_reader, machine)
    },
    [code('b')]: (_reader, machine) => {
      const state = machine.pop()
      machine.build(machine.top(), state)
    },
    0x82: extension((reader) => reader.u8(), 'EXT1'),
    0x83: extension((reader) => reader.u16(), 'EXT2'),
    0x84: extension((reader) => reader.u32(), 'EXT4'),
  }
}

function reduce(operation: string): Operation {
  return (_reader, machine) => {
    const given = machine.pop()
    machine.push(machine.call(machine.pop(), given, operation))
  }
}

function code(character: string): number {
  return character.codePointAt(0) ?? 0
}

function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
