/**
 * The only door to native code: libllama through koffi, for exactly one version (see native-package.ts).
 * This file loads and checks; binding-structs.ts, binding-functions.ts and binding-types.ts belong to it.
 * A GGML_ASSERT in native code aborts the process, so the callers check before they call.
 */
import koffi from 'koffi'
import type { LibraryHandle } from 'koffi'
import { AppError } from '../../shared/errors.ts'
import { contextFunctions, declare, memoryFunctions, modelFunctions, samplerFunctions, vocabularyFunctions } from './binding-functions.ts'
import {
  batchStruct,
  contextParams,
  EXPECTED_DEFAULTS,
  findMismatch,
  modelParams,
  TOKEN_ARRAY_BYTES,
  TOKEN_DATA_BYTES,
} from './binding-structs.ts'
import { hugePagesEnder } from './binding-huge-pages.ts'
import { threadAttacher } from './binding-threads.ts'
import type {
  BatchBuffer,
  Binding,
  CandidateArray,
  ContextParams,
  Device,
  ModelParams,
  ModelPointer,
  NativeBatch,
} from './binding-types.ts'
import type { NativePackage } from './native-package.ts'

/** koffi's own stacks: 2 MiB and 128 KiB by default, too little for libllama's recursive regex and grammar code. */
const STACK_BYTES = { sync_stack_size: 16 * 1024 * 1024, async_stack_size: 8 * 1024 * 1024, resident_async_pools: 2 }

let stacksConfigured = false

/**
 * Loads the libraries, the named CPU kernel and every other backend that works here, and checks the struct layouts.
 * Throws `engine-mismatch` when a library does not load, a symbol is missing or a default value reads wrong.
 */
export function loadBinding(options: { package: NativePackage; kernel?: string }): Binding {
  const { package: nativePackage, kernel } = options
  try {
    // koffi takes this setting once, before its first call.
    if (!stacksConfigured) koffi.config({ ...koffi.config(), ...STACK_BYTES })
    stacksConfigured = true
    const libraries = openLibraries(nativePackage)
    loadBackends(libraries, nativePackage, kernel)
    return assemble(libraries, nativePackage, kernel)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('engine-mismatch', { reason: error instanceof Error ? error.message : String(error) }, { cause: error })
  }
}

interface Libraries {
  base: LibraryHandle
  ggml: LibraryHandle
  llama: LibraryHandle
}

/** In this order, and global, because each is linked against the symbols of those before. */
function openLibraries({ libraries }: NativePackage): Libraries {
  return { base: openLibrary(libraries.base), ggml: openLibrary(libraries.ggml), llama: openLibrary(libraries.llama) }
}

function openLibrary(file: string): LibraryHandle {
  try {
    return koffi.load(file, { global: true })
  } catch (error) {
    throw mismatch(`${file} does not load: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A GPU backend that does not load (no driver) is left out; the kernel must load. */
function loadBackends({ ggml }: Libraries, nativePackage: NativePackage, kernel: string | undefined): void {
  const load = declare<(file: string) => bigint | null>(ggml, 'ggml_backend_load', 'void *', ['str'])
  for (const backend of nativePackage.backends) load(backend.file)
  const variant = kernel ?? nativePackage.cpuVariants[0]
  if (variant === undefined || nativePackage.cpuVariants.length === 0) return
  const file = nativePackage.cpuLibraries[variant]
  if (!file) throw mismatch(`there is no CPU kernel ${variant}, only ${nativePackage.cpuVariants.join(', ')}`)
  if (!load(file)) throw mismatch(`the CPU kernel ${variant} does not work on this processor`)
}

function assemble(libraries: Libraries, nativePackage: NativePackage, kernel: string | undefined): Binding {
  const { llama } = libraries
  declare<() => void>(llama, 'llama_backend_init', 'void', [])()
  const modelDefaults = declare<() => ModelParams>(llama, 'llama_model_default_params', modelParams, [])()
  const contextDefaults = declare<() => ContextParams>(llama, 'llama_context_default_params', contextParams, [])()
  const wrong =
    findMismatch(EXPECTED_DEFAULTS.model, { ...modelDefaults }) ?? findMismatch(EXPECTED_DEFAULTS.context, { ...contextDefaults })
  if (wrong) throw mismatch(`the self-check of its parameters failed: ${wrong}`)
  const attachThreads = threadAttacher(libraries, nativePackage, kernel)
  const contexts = contextFunctions(llama, contextDefaults)
  return Object.freeze({
    package: nativePackage,
    kernel,
    devices: listDevices(libraries),
    ...modelFunctions(llama, modelDefaults),
    endHugePages: hugePagesEnder(llama),
    ...vocabularyFunctions(llama),
    ...contexts,
    createContext: async (model: ModelPointer, params: Partial<ContextParams>) => {
      const context = await contexts.createContext(model, params)
      if (context) attachThreads(context, Math.max(params.n_threads ?? 1, params.n_threads_batch ?? 1))
      return context
    },
    ...memoryFunctions(llama),
    ...samplerFunctions(llama),
    viewFloats: (address: bigint, count: number) => new Float32Array(koffi.view(address, count * 4)),
    createBatch: batchFactory(llama),
    createCandidates,
  })
}

function mismatch(reason: string): AppError {
  return new AppError('engine-mismatch', { reason })
}

const DEVICE_TYPES = ['cpu', 'gpu', 'integrated-gpu', 'accelerator'] as const

function listDevices({ base, ggml }: Libraries): Device[] {
  const count = declare<() => number>(ggml, 'ggml_backend_dev_count', 'size_t', [])
  const get = declare<(index: number) => bigint | null>(ggml, 'ggml_backend_dev_get', 'void *', ['size_t'])
  const name = declare<(device: bigint) => string>(base, 'ggml_backend_dev_name', 'str', ['void *'])
  const description = declare<(device: bigint) => string>(base, 'ggml_backend_dev_description', 'str', ['void *'])
  const type = declare<(device: bigint) => number>(base, 'ggml_backend_dev_type', 'int32', ['void *'])
  const memory = declare<(device: bigint, free: BigUint64Array, total: BigUint64Array) => void>(base, 'ggml_backend_dev_memory', 'void', [
    'void *',
    'void *',
    'void *',
  ])
  const devices = Array.from({ length: Number(count()) }, (_, index) => get(index)).filter((device) => device !== null)
  return devices.map((device) => {
    const free = new BigUint64Array(1)
    const total = new BigUint64Array(1)
    memory(device, free, total)
    return {
      name: name(device),
      description: description(device),
      type: DEVICE_TYPES[type(device)] ?? 'other',
      totalBytes: Number(total[0]),
      freeBytes: Number(free[0]),
    }
  })
}

function batchFactory(llama: LibraryHandle): (capacity: number) => BatchBuffer {
  const init = declare<(capacity: number, embedding: number, sequences: number) => NativeBatch>(llama, 'llama_batch_init', batchStruct, [
    'int32',
    'int32',
    'int32',
  ])
  const free = declare<(batch: NativeBatch) => void>(llama, 'llama_batch_free', 'void', [batchStruct])
  return (capacity) => {
    const native = init(capacity, 0, 1)
    const lists = new BigUint64Array(koffi.view(native.seq_id, capacity * 8))
    const slots = Array.from(lists, (address) => new Int32Array(koffi.view(address, 4)))
    new Int32Array(koffi.view(native.n_seq_id, capacity * 4)).fill(1)
    return {
      native,
      token: new Int32Array(koffi.view(native.token, capacity * 4)),
      position: new Int32Array(koffi.view(native.pos, capacity * 4)),
      output: new Int8Array(koffi.view(native.logits, capacity)),
      slot: (index, slot) => {
        const ids = slots[index]
        if (ids) ids[0] = slot
      },
      free: () => free(native),
    }
  }
}

function createCandidates(capacity: number): CandidateArray {
  const data: bigint = koffi.alloc('uint8', capacity * TOKEN_DATA_BYTES)
  const array: bigint = koffi.alloc('uint8', TOKEN_ARRAY_BYTES)
  const bytes = koffi.view(data, capacity * TOKEN_DATA_BYTES)
  const header = new DataView(koffi.view(array, TOKEN_ARRAY_BYTES))
  return {
    ids: new Int32Array(bytes),
    logits: new Float32Array(bytes),
    capacity,
    pointer: array,
    reset(size, sorted) {
      header.setBigUint64(0, data, true)
      header.setBigUint64(8, BigInt(size), true)
      header.setBigInt64(16, -1n, true)
      header.setUint8(24, sorted ? 1 : 0)
    },
    selected: () => Number(header.getBigInt64(16, true)),
    size: () => Number(header.getBigUint64(8, true)),
    free: () => {
      koffi.free(data)
      koffi.free(array)
    },
  }
}
