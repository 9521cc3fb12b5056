/**
 * What a model would take here, measured by libllama itself, without loading it: the header goes into a sparse file, a child opens it with
 * nothing allocated and makes contexts, and its log tells the size of every buffer. 0.3 s and a few megabytes, whatever the model's size.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { AppError } from '../../shared/errors.ts'
import type { KvLayout, KvType } from '../engine.ts'
import { writeSparseGguf } from './dry-run-file.ts'
import type { SparseModel } from './dry-run-file.ts'
import { DryRunReportSchema } from './dry-run-job.ts'
import type { DryRunContext, DryRunJob, DryRunReport } from './dry-run-job.ts'
import { createDryRunLog } from './dry-run-log.ts'
import type { DryRunBuffers } from './dry-run-log.ts'
import { nativeErrors } from './native-log.ts'
import { findNativePackage } from './native-package.ts'

export interface DryRunWishes {
  /** Tokens of the window of one request. */
  context: number
  /** Requests at the same time, each with its whole window. */
  parallel: number
  kvType: KvType
  kvLayout: KvLayout
}

export interface DryRunMemory extends DryRunBuffers {
  /** All tensors, as libllama counts them. */
  weights: number
  /** Of them, what was really taken: 0 in a dry run. */
  allocatedWeights: number
}

export interface DryRunOptions {
  /** −1 is all; absent or 0: none. */
  gpuLayers?: number
  /** Default 20 s. */
  limitMs?: number
  signal?: AbortSignal
  /** Takes the memory for real: to check a dry run. Never for a model that may not fit. */
  allocate?: boolean
}

/** A GGUF here, or the header of one that is not. */
export type DryRunModel = { file: string } | SparseModel

/** As the engine's (lanes.ts). */
const BATCH_TOKENS = 512
/** Sequence ids for cached prefixes in the unified layout (kv-shape.ts). */
const CACHE_SLOTS = 32
const MAX_SLOTS = 256
const CELL_PADDING = 256
const LIMIT_MS = 20_000
const MOST_ERRORS = 50

/**
 * One answer for each of `wishes`; undefined where libllama cannot make such a context. All are made one after the other in one child.
 * Throws `invalid-model-file` when libllama refuses the header (or does not know the architecture), `engine-start-failed` when the child
 * dies or is too slow.
 */
export async function dryRun(
  model: DryRunModel,
  wishes: readonly DryRunWishes[],
  options: DryRunOptions = {},
): Promise<(DryRunMemory | undefined)[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-dry-run-'))
  try {
    const file = 'file' in model ? model.file : path.join(folder, 'header.gguf')
    if (!('file' in model)) await writeSparseGguf(file, model)
    return await measure(file, path.join(folder, 'log'), wishes, options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The context that the engine would make for these wishes. */
export function contextOf({ context, parallel, kvType, kvLayout }: DryRunWishes): DryRunContext {
  const window = Math.ceil(context / CELL_PADDING) * CELL_PADDING
  const slots = kvLayout === 'unified' ? Math.min(MAX_SLOTS, parallel + CACHE_SLOTS) : parallel
  return { cells: window * parallel, slots, layout: kvLayout, kvType, batchTokens: BATCH_TOKENS, microBatchTokens: BATCH_TOKENS }
}

async function measure(
  file: string,
  logFile: string,
  wishes: readonly DryRunWishes[],
  options: DryRunOptions,
): Promise<(DryRunMemory | undefined)[]> {
  const kernel = plainestKernel()
  const job: DryRunJob = {
    file,
    gpuLayers: options.gpuLayers ?? 0,
    contexts: wishes.map(contextOf),
    ...(kernel === undefined ? {} : { kernel }),
    ...(options.allocate ? { allocate: true } : {}),
  }
  const { reports, ending } = await runChild(job, logFile, options)
  const { buffers, allocatedWeights, errors } = await readLog(logFile)
  const [first, ...rest] = reports
  if (first?.type === 'failed') throw new AppError('invalid-model-file', { path: file, reason: errors.at(-1) ?? first.reason })
  if (first?.type !== 'model' || (rest.length < wishes.length && ending !== undefined))
    throw new AppError('engine-start-failed', { model: path.basename(file), reason: ending ?? 'it said nothing', log: errors.join('\n') })
  return wishes.map((_, index) => {
    const report = rest[index]
    const measured = buffers[index]
    return report?.type === 'context' && report.made && measured ? { weights: first.weights, allocatedWeights, ...measured } : undefined
  })
}

/** Nothing is computed, so the kernel that runs everywhere will do; the first choice of CPUID may not even load. */
function plainestKernel(): string | undefined {
  const { cpuVariants } = findNativePackage()
  return ['x64', 'sse42', 'armv8.0_1', 'apple_m1'].find((name) => cpuVariants.includes(name)) ?? cpuVariants[0]
}

interface ChildResult {
  reports: DryRunReport[]
  /** Undefined when it ended well. */
  ending: string | undefined
}

/** The log goes into a file: what libllama writes into a full pipe of node's is lost, and a model of many layers logs megabytes. */
async function runChild(job: DryRunJob, logFile: string, options: DryRunOptions): Promise<ChildResult> {
  const log = await open(logFile, 'wx', 0o600)
  try {
    return await follow(
      spawn(process.execPath, [...childArguments(), JSON.stringify(job)], { stdio: ['ignore', 'pipe', log.fd], windowsHide: true }),
      options,
    )
  } finally {
    await log.close()
  }
}

function follow(child: ChildProcess, { limitMs = LIMIT_MS, signal }: DryRunOptions): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const lines: string[] = []
    let ending: string | undefined
    const kill = (reason: string): void => {
      ending ??= reason
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => kill(`it took longer than ${limitMs / 1000} s`), limitMs)
    const onAbort = (): void => kill('cancelled')
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    if (child.stdout) createInterface(child.stdout).on('line', (line) => lines.push(line))
    child.once('error', (error) => (ending ??= error.message))
    child.once('close', (code, signalName) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      if (signal?.aborted) return reject(signal.reason)
      const failed = code === 0 ? undefined : `it ended with ${signalName ?? `code ${code}`}`
      resolve({ reports: lines.flatMap(parseReport), ending: ending ?? failed })
    })
  })
}

function parseReport(line: string): DryRunReport[] {
  try {
    return [DryRunReportSchema.parse(JSON.parse(line))]
  } catch {
    return []
  }
}

async function readLog(file: string): Promise<{ buffers: DryRunBuffers[]; allocatedWeights: number; errors: string[] }> {
  const log = createDryRunLog()
  const errors: string[] = []
  const text = createReadStream(file)
  for await (const line of createInterface(text)) {
    log.push(line)
    if (errors.length < MOST_ERRORS) errors.push(...nativeErrors(line))
  }
  return { buffers: log.contexts(), allocatedWeights: log.allocatedWeights(), errors }
}

/** node's arguments for the child's entry: compiled beside us, or the source through tsx. */
function childArguments(): string[] {
  const extension = path.extname(fileURLToPath(import.meta.url))
  const entry = fileURLToPath(new URL(`./dry-run-process${extension}`, import.meta.url))
  if (extension !== '.ts') return [entry]
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href, entry]
}
