/** The stack, the marks and the memo of a pickle, with bounds on all of them. */
import { PickleError } from './pickle-value.ts'
import type { PickleDict, PickledName, PickleObject, PickleSequence, PickleUse, PickleValue } from './pickle-value.ts'

export interface PickleLimits {
  operations: number
  /** Lists, dicts, calls and names that are made. */
  objects: number
  stack: number
  memo: number
  /** Of all texts together. */
  textBytes: number
}

export const PICKLE_LIMITS: PickleLimits = {
  operations: 5_000_000,
  objects: 500_000,
  stack: 500_000,
  memo: 500_000,
  textBytes: 32_000_000,
}

/** Different names and uses that are worth telling. */
const MOST_NAMES = 1000

export class PickleMachine {
  readonly #limits: PickleLimits
  readonly #stack: PickleValue[] = []
  readonly #marks: number[] = []
  readonly #memo = new Map<number, PickleValue>()
  readonly #names = new Map<string, PickledName>()
  #objects = 0
  #textBytes = 0
  /** Pickles may be put one after the other; the counts go on. */
  #entries = 0

  constructor(limits: PickleLimits) {
    this.#limits = limits
  }

  get names(): PickledName[] {
    return [...this.#names.values()]
  }

  /** Before another pickle of the same file. */
  reset(): void {
    this.#stack.length = 0
    this.#marks.length = 0
    this.#memo.clear()
  }

  push(value: PickleValue): void {
    if (this.#stack.length >= this.#limits.stack) throw new PickleError('its stack grows too large')
    this.#stack.push(value)
  }

  /** Throws below a mark too: Python would not go there either. */
  pop(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw new PickleError('it takes more from its stack than is there')
    return this.#stack.pop() ?? null
  }

  top(): PickleValue {
    const value = this.pop()
    this.#stack.push(value)
    return value
  }

  mark(): void {
    if (this.#marks.length >= this.#limits.stack) throw new PickleError('its stack grows too large')
    this.#marks.push(this.#stack.length)
  }

  /** Everything since the last mark, which goes. */
  popMark(): PickleValue[] {
    const from = this.#marks.pop()
    if (from === undefined) throw new PickleError('a mark is missing')
    return this.#stack.splice(from)
  }

  memoize(index: number = this.#memo.size): void {
    if (this.#memo.size >= this.#limits.memo) throw new PickleError('its memo grows too large')
    this.#memo.set(index, this.top())
  }

  recall(index: number): void {
    const value = this.#memo.get(index)
    if (value === undefined) throw new PickleError(`it recalls ${index}, which it has not kept`)
    this.push(value)
  }

  text(value: string): string {
    this.#textBytes += value.length
    if (this.#textBytes > this.#limits.textBytes) throw new PickleError('its texts are too long')
    return value
  }

  make<T extends PickleValue>(value: T): T {
    this.#objects += 1
    if (this.#objects > this.#limits.objects) throw new PickleError('it makes too many objects')
    return value
  }

  global(name: string, operation: string): PickleValue {
    this.note(name, 'import', operation)
    return this.make({ kind: 'global', name })
  }

  call(callee: PickleValue, given: PickleValue, operation: string): PickleObject {
    this.note(nameOf(callee), 'call', operation)
    return this.make({ kind: 'object', callee, arguments: given, items: [], entries: [] })
  }

  build(target: PickleValue, state: PickleValue): void {
    if (typeof target !== 'object' || target === null || target.kind !== 'object') return
    this.note(nameOf(target.callee), 'build', 'BUILD')
    target.state = state
  }

  append(target: PickleValue, items: readonly PickleValue[]): void {
    this.#count(items.length)
    const list = itemsOf(target)
    for (const item of items) list.push(item)
  }

  /** `flat`: key, value, key, value … */
  set(target: PickleValue, flat: readonly PickleValue[]): void {
    if (flat.length % 2 !== 0) throw new PickleError('a key has no value')
    this.#count(flat.length)
    const entries = entriesOf(target)
    for (let index = 0; index < flat.length; index += 2) entries.push([flat[index] ?? null, flat[index + 1] ?? null])
  }

  note(name: string, use: PickleUse, operation: string): void {
    const key = `${use} ${name}`
    if (!this.#names.has(key) && this.#names.size < MOST_NAMES) this.#names.set(key, { name, use, operation })
  }

  #count(entries: number): void {
    this.#entries += entries
    if (this.#entries > this.#limits.operations) throw new PickleError('its lists are too long')
  }
}

export function sequence(kind: PickleSequence['kind'], items: PickleValue[]): PickleSequence {
  return { kind, items }
}

export function dict(): PickleDict {
  return { kind: 'dict', entries: [] }
}

export function nameOf(value: PickleValue): string {
  if (typeof value !== 'object' || value === null) return '?'
  if (value.kind === 'global') return value.name
  return value.kind === 'object' ? `${nameOf(value.callee).slice(0, 200)}(…)` : '?'
}

function itemsOf(target: PickleValue): PickleValue[] {
  if (typeof target === 'object' && target !== null && 'items' in target) return target.items
  throw new PickleError('it adds items to something that has none')
}

function entriesOf(target: PickleValue): [PickleValue, PickleValue][] {
  if (typeof target === 'object' && target !== null && 'entries' in target) return target.entries
  throw new PickleError('it sets keys of something that has none')
}
