/** What a pickle describes, as inert data: nothing is imported, nothing is called. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  /** The contents are not kept. */
  | { kind: 'bytes'; length: number }
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleObject
  /** Something outside of the pickle; torch keeps its weights so. */
  | { kind: 'reference'; id: PickleValue }

export interface PickleSequence {
  kind: 'list' | 'tuple' | 'set'
  items: PickleValue[]
}

export interface PickleDict {
  kind: 'dict'
  entries: [PickleValue, PickleValue][]
}

/** A name that Python would import. */
export interface PickleGlobal {
  kind: 'global'
  name: string
}

/** What Python would get by calling `callee`. */
export interface PickleObject {
  kind: 'object'
  callee: PickleValue
  arguments: PickleValue
  state?: PickleValue
  items: PickleValue[]
  entries: [PickleValue, PickleValue][]
}

/** How a name would be used: only imported, or called, or given a state. */
export type PickleUse = 'import' | 'call' | 'build'

export interface PickledName {
  /** e.g. `torch._utils._rebuild_tensor_v2`. */
  name: string
  use: PickleUse
  /** The opcode, as pickletools calls it. */
  operation: string
}

/** Thrown for what is no pickle, or too large a one. */
export class PickleError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PickleError'
  }
}
