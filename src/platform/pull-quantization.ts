/** A pull that names no quantisation gets the one that the planner finds best here, and a line that says why. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { runCommand } from '../base/child-process.ts'
import type { CommandRunner } from '../base/child-process.ts'
import { formatBytes } from '../base/bytes.ts'
import type { Http } from '../base/http.ts'
import type { Logger } from '../base/logger.ts'
import { findModel } from '../models/catalogue/search.ts'
import { remoteFileSet } from '../models/headers/file-set.ts'
import { readGgufSet } from '../models/headers/gguf-model-header.ts'
import type { RemoteFile } from '../models/headers/remote-source.ts'
import { listRepository } from '../models/headers/repository-files.ts'
import { chooseGguf, ggufOptions } from '../models/hubs/choose-file.ts'
import type { GgufOption } from '../models/hubs/choose-file.ts'
import { sourceHttp } from '../models/hubs/source-http.ts'
import type { Selection, SourceContext, SourceEnvironment } from '../models/hubs/source.ts'
import type { Library } from '../models/library.ts'
import { arrivedBytes } from '../models/part-journal.ts'
import { downloadFolder, nameOf } from '../models/pull-remote.ts'
import { formatReference } from '../models/reference.ts'
import type { Reference } from '../models/reference.ts'
import type { Hardware } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import type { Localized } from '../shared/language.ts'
import { correctionOf } from './plan-history.ts'
import type { PlanHistory } from './plan-history.ts'
import { rateQuantizations } from './plan-quantization.ts'
import type { QuantizationWishes, RatedQuantization } from './plan-quantization.ts'

type HubReference = Extract<Reference, { type: 'hub' }>

export interface QuantizationContext {
  library: Library
  env: SourceEnvironment
  logger: Logger
  /** With the memory bandwidth measured, where that is possible. */
  hardware(): Promise<Hardware>
  wishes: QuantizationWishes
  selection?: Pick<Selection, 'include' | 'exclude'>
  /** Another folder of models than the library's own. */
  to?: string | undefined
  history?: PlanHistory | undefined
  signal?: AbortSignal
  /** For tests. */
  http?: Http
  run?: CommandRunner
  headerTimeoutMs?: number
}

export interface ChosenQuantization {
  /** With the choice in it; as it was where nothing could be planned. */
  reference: Reference
  reason: Localized
}

/** A header of some megabytes; a hub that takes longer is slow enough to be told of by the download. */
const HEADER_TIMEOUT_MS = 20_000
/** Of memory, what other programs hold now may be free by the time the model runs; not more of it than this. */
const FREEABLE = { memory: 0.75, graphics: 0.9 }

/**
 * Undefined when there is nothing to choose: the reference names it, or the repository has one model, or no hub answers (the pull itself
 * will say so). Throws `gated-model`, and the signal's reason.
 */
export async function chooseQuantization(reference: Reference, context: QuantizationContext): Promise<ChosenQuantization | undefined> {
  if (reference.type !== 'hub' || reference.quantization !== undefined || reference.file !== undefined) return undefined
  const { env, logger, run = runCommand, signal } = context
  const http = context.http ?? sourceHttp(env)
  try {
    const source: SourceContext = { env, http, run, logger, ...(signal ? { signal } : {}) }
    const files = await listFiles(reference, source)
    const options = ggufOptions(files, context.selection)
    if (options.length < 2) return undefined
    return (await begunBefore(reference, options, context)) ?? (await planned(reference, { files, options, source }, context))
  } finally {
    if (!context.http) await http.close()
  }
}

type Option = GgufOption<RemoteFile>

async function listFiles(reference: HubReference, source: SourceContext): Promise<readonly RemoteFile[]> {
  try {
    return (await listRepository(reference, source)).files
  } catch (error) {
    source.signal?.throwIfAborted()
    if (error instanceof AppError && error.code === 'source-unreachable') return []
    throw error
  }
}

/** What a machine is thought to do may change from day to day: a download that was begun is finished. */
async function begunBefore(
  reference: HubReference,
  options: readonly Option[],
  { library, to }: QuantizationContext,
): Promise<ChosenQuantization | undefined> {
  for (const option of options) {
    const chosen = withOption(reference, option)
    const folder = downloadFolder(nameOf(formatReference(chosen)), library, to)
    const arrived = await Promise.all(option.files.map((file) => bytesHere(path.join(folder, path.posix.basename(file.path)))))
    const bytes = arrived.reduce((sum, part) => sum + part, 0)
    if (bytes === 0) continue
    const name = labelOf(option)
    return {
      reference: chosen,
      reason: {
        en: `${name}: it was begun before (${formatBytes(bytes)} of ${formatBytes(option.bytes)} are here).`,
        zh: `${name}：之前已开始下载（已有 ${formatBytes(bytes)}，共 ${formatBytes(option.bytes)}）。`,
      },
    }
  }
  return undefined
}

/** Whole, or a part. */
async function bytesHere(file: string): Promise<number> {
  const whole = await stat(file).catch(() => undefined)
  return whole?.size ?? arrivedBytes(file)
}

interface Found {
  files: readonly RemoteFile[]
  options: readonly Option[]
  source: SourceContext
}

async function planned(
  reference: HubReference,
  { files, options, source }: Found,
  context: QuantizationContext,
): Promise<ChosenQuantization> {
  try {
    const hardware = withFreeable(await context.hardware())
    // The usual choice is what most will take, so that its header is read, and not a second one.
    const usual = chooseGguf(files, reference.text, {}, context.selection)
    const first = options.find((option) => option.files[0]?.path === usual.files[0]?.path) ?? options[0]
    const header = await readHeader(first?.files ?? [], source, context.headerTimeoutMs ?? HEADER_TIMEOUT_MS)
    const correction = correctionOf((await context.history?.loads()) ?? [], reference.text)
    const known = { ...(correction ? { correction } : {}), thinks: alwaysThinks(reference.repository) }
    const rated = rateQuantizations(
      options.map((option) => ({ name: labelOf(option), bytes: option.bytes })),
      { header, headerBytes: first?.bytes ?? 1 },
      hardware,
      context.wishes,
      known,
    )
    const best = rated[0]
    const fitting = best?.verdict === 'too-large' ? labelOf(first ?? { files: [] }) : best?.name
    const option = options.find((item) => labelOf(item) === fitting)
    if (!best || !option) throw new AppError('internal', { reason: 'no quantisation was rated' })
    return { reference: withOption(reference, option), reason: reasonOf(option, rated) }
  } catch (error) {
    source.signal?.throwIfAborted()
    if (!(error instanceof AppError) || error.code === 'gated-model' || error.code === 'internal') throw error
    context.logger.info('the quantisation is chosen by size, for the header could not be read', { reference: reference.text, error })
    return { reference, reason: bySize(error.message) }
  }
}

async function readHeader(
  files: readonly RemoteFile[],
  { http, signal }: SourceContext,
  timeoutMs: number,
): Promise<Awaited<ReturnType<typeof readGgufSet>>> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const both = signal ? AbortSignal.any([signal, timeout]) : timeout
  try {
    return await readGgufSet(
      remoteFileSet(files, { http, signal: both }),
      files.map((file) => file.path),
    )
  } catch (error) {
    signal?.throwIfAborted()
    if (!timeout.aborted) throw error
    throw new AppError('download-failed', { file: files[0]?.path ?? '', reason: `no answer in ${timeoutMs / 1000} s` }, { cause: error })
  }
}

/** Repositories of GGUF files are named after the model that they were made of. */
function alwaysThinks(repository: string): boolean {
  const name = repository.split('/').at(-1) ?? ''
  return findModel(name.replace(/[-_.](i1-)?gguf$/i, ''))?.thinking === 'always'
}

function withFreeable(hardware: Hardware): Hardware {
  const { memory, gpus } = hardware
  const total = memory.limitBytes ?? memory.totalBytes
  return {
    ...hardware,
    memory: { ...memory, availableBytes: Math.max(memory.availableBytes, total * FREEABLE.memory) },
    gpus: gpus.map((gpu) => ({ ...gpu, freeBytes: Math.max(gpu.freeBytes, gpu.memoryBytes * FREEABLE.graphics) })),
  }
}

function withOption(reference: HubReference, { quantization, files }: Pick<Option, 'quantization' | 'files'>): HubReference {
  const named = quantization === undefined ? { ...reference, file: files[0]?.path ?? '' } : { ...reference, quantization }
  return { ...named, text: formatReference(named) }
}

function labelOf({ quantization, files }: Pick<Option, 'quantization' | 'files'>): string {
  return quantization ?? path.posix.basename(files[0]?.path ?? '')
}

function reasonOf(option: Option, rated: readonly RatedQuantization[]): Localized {
  const name = labelOf(option)
  const own = rated.find((item) => item.name === name)
  if (!own) return { en: `${name}.`, zh: `${name}。` }
  const size = formatBytes(own.bytes)
  const total = formatBytes(own.total)
  const [speedEn, speedZh] =
    own.speed === undefined ? ['', ''] : [`, about ${rateText(own.speed)} token/s`, `，约 ${rateText(own.speed)} token/s`]
  switch (own.verdict) {
    case 'too-large':
      return {
        en: `${name} (${size}): none of ${rated.length} quantisations fits here; this is the usual one, and needs ${total}. See: bendi plan`,
        zh: `${name}（${size}）：${rated.length} 种量化在本机都放不下；按惯例选此项，需 ${total}。详见：bendi plan`,
      }
    case 'slow':
      return {
        en: `${name} (${size}): the least slow of ${rated.length} quantisations that fits here (needs ${total}${speedEn}).`,
        zh: `${name}（${size}）：${rated.length} 种量化中能放下且相对最快（需 ${total}${speedZh}）。`,
      }
    case 'good': {
      const [whyEn, whyZh] = whyNotMore(own, rated)
      return {
        en: `${name} (${size}): the best of ${rated.length} quantisations here (needs ${total}${speedEn}${whyEn}).`,
        zh: `${name}（${size}）：${rated.length} 种量化中最适合本机（需 ${total}${speedZh}${whyZh}）。`,
      }
    }
  }
}

/** Of the next larger one. */
function whyNotMore(own: RatedQuantization, rated: readonly RatedQuantization[]): [string, string] {
  const [next] = rated.filter((other) => other.bytes > own.bytes * 1.02).toSorted((a, b) => a.bytes - b.bytes)
  if (!next) return ['', '']
  if (next.verdict === 'too-large') return [`; ${next.name} would not fit`, `；${next.name} 放不下`]
  if (next.speed !== undefined && next.score < own.score)
    return [`; ${next.name}: ${rateText(next.speed)} token/s`, `；${next.name} 为 ${rateText(next.speed)} token/s`]
  return [`; ${next.name} is hardly better`, `；${next.name} 提升甚微`]
}

function rateText(speed: number): string {
  return speed >= 10 ? String(Math.round(speed)) : speed.toFixed(1)
}

function bySize(reason: string): Localized {
  return {
    en: `The quantisation is chosen by file size alone, for the header could not be read (${reason}).`,
    zh: `无法读取文件头，仅按文件大小选择量化（${reason}）。`,
  }
}
