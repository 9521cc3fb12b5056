/**
 * Chooses the CPU kernel variant by measuring: each plausible one runs a tiny model in a child with a time limit, the fastest that works wins.
 * CPUID alone is not to be trusted: on some virtual machines the "best" variant is 50 times slower, or crashes (facts/libllama.md: AMX).
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { z } from 'zod'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { runCommand } from '../../base/child-process.ts'
import type { CommandResult, CommandRunner } from '../../base/child-process.ts'
import type { Logger } from '../../base/logger.ts'
import { AppError } from '../../shared/errors.ts'
import { PREFILL_TOKENS, ProbeResultSchema } from './kernel-probe-job.ts'
import type { ProbeJob } from './kernel-probe-job.ts'
import { makeProbeModel, PROBE_OPERATIONS } from './kernel-probe-model.ts'
import { parseCpuFlags, planProbe } from './kernel-variants.ts'
import type { NativePackage } from './native-package.ts'

const MeasuredSchema = z.strictObject({
  variant: z.string(),
  /** Thousand million operations a second while a prompt is computed. */
  gflopsPrefill: z.number().optional(),
  /** The score: one prompt of 64 tokens and 16 single ones; with `error` the time until it failed. */
  ms: z.number(),
  error: z.string().optional(),
})
export type MeasuredKernel = z.infer<typeof MeasuredSchema>

const ChoiceSchema = z.strictObject({
  /** `built-in` where the package has no variants. */
  variant: z.string(),
  /** For people. */
  reason: z.string(),
  measured: z.array(MeasuredSchema),
})
export type KernelChoice = z.infer<typeof ChoiceSchema>

const CacheSchema = z.strictObject({ version: z.literal(1), choices: z.record(z.string(), ChoiceSchema) })

export const BUILT_IN_KERNEL = 'built-in'

export interface ChooseKernelOptions {
  nativePackage: NativePackage
  /** JSON; made when missing, ignored when broken. */
  cacheFile: string
  /** A variant by name, not measured. */
  override?: string
  logger: Logger
  signal?: AbortSignal
  /** For tests. */
  machine?: ProbeMachine
}

/** What the probe asks of the machine. */
export interface ProbeMachine {
  cpuModel: string
  cores: number
  flags: ReadonlySet<string> | undefined
  run: CommandRunner
}

/** The first variant may be slow to start (a cold disk); later ones must not be much slower than the best so far. */
const FIRST_LIMIT_MS = 10_000
const LATER_FACTOR = 3
const LATER_EXTRA_MS = 500
const DECODES_IN_SCORE = 16

/**
 * The variant to use here, from the cache when this CPU, package and core count were measured before. Takes a few seconds the first time.
 * Throws `invalid-field` for an unknown override, `engine-mismatch` when no variant works.
 */
export async function chooseKernel(options: ChooseKernelOptions): Promise<KernelChoice> {
  const { nativePackage, cacheFile, override, logger } = options
  const { cpuVariants } = nativePackage
  if (override !== undefined) return overridden(override, cpuVariants)
  const [only, second] = cpuVariants
  if (only === undefined) return { variant: BUILT_IN_KERNEL, reason: 'the package has one kernel', measured: [] }
  if (second === undefined) return { variant: only, reason: 'the package has one kernel', measured: [] }
  const machine = options.machine ?? (await thisMachine())
  const key = [machine.cpuModel, `${machine.cores} cores`, `${nativePackage.name}@${nativePackage.version}`].join(' | ')
  const cache = await readCache(cacheFile)
  const known = cache[key]
  if (known && cpuVariants.includes(known.variant)) return known
  const choice = await measure(options, machine)
  logger.info('CPU kernel chosen', { kernel: choice.variant, reason: choice.reason })
  await writeCache(cacheFile, { ...cache, [key]: choice }, logger)
  return choice
}

function overridden(override: string, variants: readonly string[]): KernelChoice {
  if (!variants.includes(override)) {
    throw new AppError('invalid-field', {
      field: 'kernel',
      reason: `there is no ${override}, only ${variants.join(', ') || 'the built-in one'}`,
    })
  }
  return { variant: override, reason: 'chosen by the user', measured: [] }
}

async function thisMachine(): Promise<ProbeMachine> {
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const cpuModel = os.cpus()[0]?.model.trim() || `${process.platform}-${process.arch}`
  // The flags are part of the name: a virtual machine may be moved to a host with fewer.
  const flags = parseCpuFlags(cpuinfo)
  return { cpuModel: flags ? `${cpuModel}, ${flags.size} flags` : cpuModel, cores: os.availableParallelism(), flags, run: runCommand }
}

// --- cache ---

async function readCache(file: string): Promise<Record<string, KernelChoice>> {
  try {
    return CacheSchema.parse(JSON.parse(await readFile(file, 'utf8'))).choices
  } catch {
    return {}
  }
}

async function writeCache(file: string, choices: Record<string, KernelChoice>, logger: Logger): Promise<void> {
  try {
    await writeFileAtomic(file, `${JSON.stringify({ version: 1, choices }, undefined, 2)}\n`)
  } catch (error) {
    logger.warn('The kernel choice could not be kept; it is measured again next time', { file, error })
  }
}

// --- measuring ---

async function measure(options: ChooseKernelOptions, machine: ProbeMachine): Promise<KernelChoice> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-kernel-'))
  try {
    const model = path.join(folder, 'probe.gguf')
    await writeFile(model, makeProbeModel())
    const { first, rest } = planProbe(options.nativePackage.cpuVariants, machine.flags)
    const measured = await measureAll(first, { model, machine, options })
    for (const variant of rest) {
      if (measured.some((one) => one.error === undefined)) break
      measured.push(...(await measureAll([variant], { model, machine, options })))
    }
    return fastest(measured)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface ProbeContext {
  model: string
  machine: ProbeMachine
  options: ChooseKernelOptions
}

async function measureAll(variants: readonly string[], context: ProbeContext): Promise<MeasuredKernel[]> {
  const measured: MeasuredKernel[] = []
  let shortestMs: number | undefined
  for (const variant of variants) {
    const limitMs = shortestMs === undefined ? FIRST_LIMIT_MS : shortestMs * LATER_FACTOR + LATER_EXTRA_MS
    const start = performance.now()
    const result = await measureOne(variant, context, limitMs)
    const wallMs = performance.now() - start
    if (result.error === undefined) shortestMs = Math.min(shortestMs ?? wallMs, wallMs)
    measured.push(result.error === undefined ? result : { ...result, ms: Math.round(wallMs) })
    context.options.logger.debug('CPU kernel measured', { ...measured.at(-1) })
  }
  return measured
}

async function measureOne(variant: string, { model, machine, options }: ProbeContext, limitMs: number): Promise<MeasuredKernel> {
  // One thread: variants keep their order, and other programs on the machine do not make threads wait for each other.
  const job: ProbeJob = { variant, model, threads: 1 }
  const result = await machine.run(process.execPath, [...childArguments(import.meta.url), JSON.stringify(job)], {
    timeoutMs: limitMs,
    signal: options.signal,
  })
  const times = parseTimes(result.stdout)
  if (!times || result.code !== 0) return { variant, ms: 0, error: describeFailure(result, limitMs) }
  return {
    variant,
    gflopsPrefill: round((PROBE_OPERATIONS * PREFILL_TOKENS) / times.prefillMs / 1e6),
    ms: round(times.prefillMs + DECODES_IN_SCORE * times.decodeMs),
  }
}

/** node's arguments for the child's entry file: compiled beside us, or the source (under tests and in development) through tsx. */
export function childArguments(ownUrl: string): string[] {
  const extension = path.extname(fileURLToPath(ownUrl))
  const entry = fileURLToPath(new URL(`./kernel-probe${extension}`, ownUrl))
  if (extension !== '.ts') return [entry]
  return ['--import', pathToFileURL(createRequire(ownUrl).resolve('tsx')).href, entry]
}

function parseTimes(stdout: string): z.infer<typeof ProbeResultSchema> | undefined {
  try {
    return ProbeResultSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''))
  } catch {
    return undefined
  }
}

function describeFailure(result: CommandResult, limitMs: number): string {
  if (result.timedOut) return `slower than ${Math.round(limitMs)} ms`
  if (/does not work on this processor/.test(result.stderr)) return 'not supported by this processor'
  if (result.code > 128) return `crashed (signal, code ${result.code})`
  return `failed with code ${result.code}: ${result.stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`
}

function fastest(measured: MeasuredKernel[]): KernelChoice {
  const working = measured.filter((one) => one.error === undefined).toSorted((a, b) => a.ms - b.ms)
  const [best, second] = working
  if (!best) {
    const tried = measured.map((one) => `${one.variant}: ${one.error ?? ''}`).join('; ')
    throw new AppError('engine-mismatch', { reason: `no CPU kernel works here (${tried})` })
  }
  const reason = second
    ? `the fastest of ${working.length}: ${best.ms} ms, then ${second.variant} with ${second.ms} ms`
    : 'the best one that this processor supports, and it works'
  return { variant: best.variant, reason, measured }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
