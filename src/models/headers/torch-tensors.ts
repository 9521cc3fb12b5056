/** Finds the tensors in what a pickle of torch describes. Source: torch/_utils.py `_rebuild_*`, torch/serialization.py `persistent_id`. */
import type { HeaderTensor } from './model-header.ts'
import type { PickleObject, PickleValue } from './pickle-value.ts'

export interface TorchTensor extends HeaderTensor {
  /** Key of its storage in the file; several tensors may share one. */
  storage: string
  /** Elements of that storage. */
  storageElements: number
}

/** Bytes an element, by the names of storages and of number types. */
const SIZES: Readonly<Record<string, readonly [type: string, bytes: number]>> = {
  Double: ['F64', 8],
  Float: ['F32', 4],
  Half: ['F16', 2],
  BFloat16: ['BF16', 2],
  Long: ['I64', 8],
  Int: ['I32', 4],
  Short: ['I16', 2],
  Char: ['I8', 1],
  Byte: ['U8', 1],
  Bool: ['BOOL', 1],
  ComplexFloat: ['C64', 8],
  ComplexDouble: ['C128', 16],
  QInt8: ['QINT8', 1],
  QUInt8: ['QUINT8', 1],
  QInt32: ['QINT32', 4],
  Untyped: ['U8', 1],
  float64: ['F64', 8],
  float32: ['F32', 4],
  float16: ['F16', 2],
  bfloat16: ['BF16', 2],
  float8_e4m3fn: ['F8_E4M3', 1],
  float8_e5m2: ['F8_E5M2', 1],
  float8_e8m0fnu: ['F8_E8M0', 1],
  int64: ['I64', 8],
  int32: ['I32', 4],
  int16: ['I16', 2],
  int8: ['I8', 1],
  uint8: ['U8', 1],
  bool: ['BOOL', 1],
}

const MOST_TENSORS = 250_000
/** Steps through the value: a small pickle can describe a huge tree by repeating itself. */
const MOST_STEPS = 2_000_000
const MOST_DEPTH = 64

/** Named by the keys on the way to them, joined with dots. Shared parts are listed once. */
export function findTensors(root: PickleValue): TorchTensor[] {
  const tensors: TorchTensor[] = []
  const seen = new Set<object>()
  let steps = 0
  const visit = (value: PickleValue, name: string, depth: number): void => {
    steps += 1
    if (typeof value !== 'object' || value === null || depth > MOST_DEPTH || steps > MOST_STEPS || tensors.length >= MOST_TENSORS) return
    const tensor = value.kind === 'object' ? tensorOf(value, name) : undefined
    if (tensor) return void tensors.push(tensor)
    if (seen.has(value)) return
    seen.add(value)
    for (const [key, child] of childrenOf(value)) visit(child, key === '' ? name : joined(name, key), depth + 1)
  }
  visit(root, '', 0)
  return tensors
}

function joined(name: string, key: string): string {
  return `${name === '' ? '' : `${name}.`}${key}`.slice(0, 500)
}

function childrenOf(value: Exclude<PickleValue, null | boolean | number | bigint | string>): [string, PickleValue][] {
  switch (value.kind) {
    case 'list':
    case 'tuple':
    case 'set':
      return value.items.map((item, index) => [String(index), item])
    case 'dict':
      return value.entries.map(([key, item]) => [keyText(key), item])
    case 'object':
      return [
        ...value.entries.map(([key, item]): [string, PickleValue] => [keyText(key), item]),
        ...value.items.map((item, index): [string, PickleValue] => [String(index), item]),
        ...(value.state === undefined ? [] : [['', value.state] satisfies [string, PickleValue]]),
        ['', value.arguments],
      ]
    case 'bytes':
    case 'global':
    case 'reference':
      return []
  }
}

function keyText(key: PickleValue): string {
  return typeof key === 'string' || typeof key === 'number' ? String(key) : '?'
}

function tensorOf(value: PickleObject, name: string): TorchTensor | undefined {
  const callee = value.callee
  if (typeof callee !== 'object' || callee === null || callee.kind !== 'global') return undefined
  const given = itemsOf(value.arguments)
  if (/^torch\._utils\._rebuild_parameter(_with_state)?$/.test(callee.name)) {
    const inner = given[0]
    return typeof inner === 'object' && inner !== null && inner.kind === 'object' ? tensorOf(inner, name) : undefined
  }
  if (!/^torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|qtensor)$/.test(callee.name)) return undefined
  const [reference, , size] = given
  const storage = storageOf(reference)
  if (storage === undefined) return undefined
  // _rebuild_tensor_v3 has an untyped storage and the type apart.
  const [type, bytes] = callee.name.endsWith('_v3') ? typeOf(given[6]) : typeOf(storage.type)
  const shape = itemsOf(size).map(Number)
  const elements = shape.reduce((product, length) => product * length, 1)
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0) || !Number.isSafeInteger(elements * bytes)) return undefined
  return { name, shape, type, bytes: elements * bytes, storage: storage.key, storageElements: storage.elements }
}

/** `('storage', type, key, location, elements)`, in old files with a view behind. */
function storageOf(reference: PickleValue | undefined): { type: PickleValue | undefined; key: string; elements: number } | undefined {
  if (typeof reference !== 'object' || reference === null || reference.kind !== 'reference') return undefined
  const [word, type, key, , elements] = itemsOf(reference.id)
  if (word !== 'storage' || typeof key !== 'string') return undefined
  return { type, key: key.slice(0, 200), elements: typeof elements === 'number' ? elements : 0 }
}

function typeOf(value: PickleValue | undefined): readonly [string, number] {
  const name = typeof value === 'object' && value !== null && value.kind === 'global' ? value.name : ''
  const short = name.replace(/^torch\.(storage\.)?/, '').replace(/Storage$/, '')
  return (Object.hasOwn(SIZES, short) ? SIZES[short] : undefined) ?? ['unknown', 1]
}

function itemsOf(value: PickleValue | undefined): readonly PickleValue[] {
  return typeof value === 'object' && value !== null && 'items' in value ? value.items : []
}
