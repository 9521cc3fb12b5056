/**
 * One pool of threads for all contexts of this process. Without it ggml starts and ends its threads at every decode: on a 2-core machine
 * a step of a 135M model then took 24 ms instead of 13. Contexts may share it because only one decodes at a time. Part of the binding.
 */
import koffi from 'koffi'
import type { LibraryHandle } from 'koffi'
import type { ContextPointer } from './binding-types.ts'
import type { NativePackage } from './native-package.ts'

/** `ggml_threadpool_params` of ggml.h; `cpumask` has GGML_MAX_N_THREADS entries. */
const paramsStruct = koffi.struct('ggml_threadpool_params', {
  cpumask: koffi.array('bool', 512),
  n_threads: 'int',
  prio: 'int',
  poll: 'uint32',
  strict_cpu: 'bool',
  paused: 'bool',
})

interface ThreadpoolParams {
  n_threads: number
  poll: number
}

/** Gives a context the pool, made at the first call with as many threads as are ever asked for. */
export type AttachThreads = (context: ContextPointer, threads: number) => void

/** Where the CPU library does not offer pools, contexts keep ggml's own way. */
export function threadAttacher(
  libraries: { base: LibraryHandle; llama: LibraryHandle },
  nativePackage: NativePackage,
  kernel: string | undefined,
): AttachThreads {
  const cpuFile = cpuLibraryOf(nativePackage, kernel)
  if (cpuFile === undefined) return () => {}
  const attach = libraries.llama.func('llama_attach_threadpool', 'void', ['void *', 'void *', 'void *'])
  const pools = new Map<number, unknown>()
  return (context, threads) => {
    if (!pools.has(threads)) pools.set(threads, createPool(libraries.base, cpuFile, threads))
    const pool = pools.get(threads)
    if (pool) attach(context, pool, pool)
  }
}

function createPool(base: LibraryHandle, cpuFile: string, threads: number): unknown {
  try {
    const params = base.func('ggml_threadpool_params_default', paramsStruct, ['int'])(threads) as ThreadpoolParams
    // Between two decodes the threads sleep: the cores are wanted for sampling and for the other processes.
    params.poll = 0
    return koffi.load(cpuFile).func('ggml_threadpool_new', 'void *', [koffi.pointer(paramsStruct)])(params)
  } catch {
    return undefined
  }
}

function cpuLibraryOf({ cpuLibraries, cpuVariants, backends }: NativePackage, kernel: string | undefined): string | undefined {
  const variant = kernel ?? cpuVariants[0]
  return (variant === undefined ? undefined : cpuLibraries[variant]) ?? backends.find((backend) => backend.name === 'cpu')?.file
}
