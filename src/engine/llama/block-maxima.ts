/**
 * The largest number of each block of 64, computed by a WebAssembly function with SIMD instructions: V8 does not vectorise JavaScript loops,
 * and finding the best of 150,000 logits eight times a step would take milliseconds. The function is so small that it is assembled here.
 *
 *   f(in, end, out): while in ≠ end { m = (−∞ ×4); for 16 vectors: m = pmax(m, load(in + 16 i)); *out = max of m's four; in += 256; out += 4 }
 *
 * `pmax(a, b)` is `a < b ? b : a`, so that NaN never wins. Encoding: WebAssembly core specification 2.0, chapter 5.
 */
export const BLOCK = 64
const BLOCK_BYTES = BLOCK * 4

export interface BlockMaxima {
  /** A copy of the numbers, followed by −∞ up to a whole block. */
  readonly values: Float32Array
  /** One a block; valid until the next `compute`. */
  readonly maxima: Float32Array
  /** Copies `values` in and finds the maxima. */
  compute(values: Float32Array): void
}

/** The part of the WebAssembly interface that is used; Node's own types come without it. */
interface WebAssemblyTools {
  Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer }
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

/** For arrays of exactly `size` numbers. */
export function createBlockMaxima(size: number): BlockMaxima {
  const blocks = Math.max(1, Math.ceil(size / BLOCK))
  const end = blocks * BLOCK_BYTES
  const { WebAssembly: tools } = globalThis as unknown as { WebAssembly: WebAssemblyTools }
  const memory = new tools.Memory({ initial: Math.ceil((end + blocks * 4) / 65_536) })
  const { exports } = new tools.Instance(new tools.Module(MODULE), { m: { m: memory } })
  const run = exports['f'] as (start: number, end: number, out: number) => void
  const values = new Float32Array(memory.buffer, 0, blocks * BLOCK).fill(Number.NEGATIVE_INFINITY)
  return {
    values,
    maxima: new Float32Array(memory.buffer, end, blocks),
    compute(given) {
      values.set(given)
      run(0, end, end)
    },
  }
}

// --- the module ---

const I32 = 0x7f
const V128 = 0x7b
const IN = 0
const END = 1
const OUT = 2
const BEST = 3

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

const MODULE = new Uint8Array([
  ...MAGIC_AND_VERSION,
  // one type: (i32 i32 i32) → ()
  ...section(1, [1, 0x60, 3, I32, I32, I32, 0]),
  // one import: memory m.m of at least one page
  ...section(2, [1, ...name('m'), ...name('m'), 0x02, 0x00, 1]),
  // one function of type 0
  ...section(3, [1, 0]),
  // exported as f
  ...section(7, [1, ...name('f'), 0x00, 0]),
  ...section(10, [1, ...sized([1, 1, V128, ...body()])]),
])

function body(): number[] {
  const get = (local: number): number[] => [0x20, local]
  const set = (local: number): number[] => [0x21, local]
  const advance = (local: number, bytes: number): number[] => [...get(local), 0x41, ...signed(bytes), 0x6a, ...set(local)]
  const load = (offset: number): number[] => [...get(IN), 0xfd, 0x00, 4, ...unsigned(offset)]
  const negativeInfinity = [0x43, 0x00, 0x00, 0x80, 0xff, 0xfd, 0x13]
  const pmax = [0xfd, 0xeb, 0x01]
  const lane = (index: number): number[] => [...get(BEST), 0xfd, 0x1f, index]
  const max = 0x97
  const vectors = Array.from({ length: BLOCK / 4 }, (_, index) => [...load(16 * index), ...pmax]).flat()
  const reduce = [...get(OUT), ...lane(0), ...lane(1), max, ...lane(2), ...lane(3), max, max, 0x38, 2, 0]
  const again = [...get(IN), ...get(END), 0x47, 0x0d, 0]
  const step = [...negativeInfinity, ...vectors, ...set(BEST), ...reduce, ...advance(OUT, 4), ...advance(IN, BLOCK_BYTES)]
  // loop … br_if 0, end of loop, end of function
  return [0x03, 0x40, ...step, ...again, 0x0b, 0x0b]
}

function section(id: number, content: number[]): number[] {
  return [id, ...sized(content)]
}

function sized(content: number[]): number[] {
  return [...unsigned(content.length), ...content]
}

function name(text: string): number[] {
  return sized([...Buffer.from(text)])
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}
