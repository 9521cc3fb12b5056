/** Which model `bendi up` starts with when nobody says, and why. */
import { EMBEDDED_VENDORS } from '../shared/hardware.ts'
import { formatBytes } from '../base/bytes.ts'
import { runCommand } from '../base/child-process.ts'
import type { CommandRunner } from '../base/child-process.ts'
import type { Http } from '../base/http.ts'
import { silentLogger } from '../base/logger.ts'
import type { Hardware, Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import type { Localized } from '../shared/language.ts'
import { resolveShortName } from './catalogue/catalogue.ts'
import type { CatalogueEntry } from './catalogue/catalogue.ts'
import { resolveSources } from './hubs/resolve.ts'
import type { RemoteReference } from './hubs/resolve.ts'
import { sourceHttp } from './hubs/source-http.ts'
import { SOURCE_TIMEOUT_MS } from './hubs/source.ts'
import type { SourceEnvironment } from './hubs/source.ts'
import type { Library } from './library.ts'
import { parseReference } from './reference.ts'
import type { Reference } from './reference.ts'

export interface StarterInput {
  library: Library
  hardware: Hardware
  env: SourceEnvironment
  offline: boolean
  /** The user's own choice. */
  model?: string
  signal?: AbortSignal
  /** For tests. */
  http?: Http
  run?: CommandRunner
}

export interface Starter {
  reference: Reference
  /** Set when it is already here. */
  model?: Model
  reason: Localized
}

const FIRST = 'deepseek-r1:1.5b'
const SECOND = 'smollm2:135m'
/** Weights, a window for one user, and air. */
const MEMORY_FACTOR = 2.2
const DISK_MARGIN_BYTES = 1_000_000_000

/**
 * The wished model; else one of the library that fits; else R1-Distill-Qwen-1.5B when memory, disk and a hub allow;
 * else the tiny model of the package index. Throws `invalid-reference`, `file-not-found`, `invalid-model-file`, `offline`.
 */
export async function chooseStarter(input: StarterInput): Promise<Starter> {
  if (input.model !== undefined) return chosenByUser(input.model, input)
  const present = fittest(await input.library.list(), input.hardware)
  if (present) return startWith(present, { en: 'it is already in the library', zh: '它已在模型库中' })
  if (input.offline) throw new AppError('offline', { what: FIRST })
  const obstacle = await obstacleTo(resolveShortName(FIRST), input)
  if (obstacle === undefined) {
    const reason = { en: 'it is a small reasoning model that fits this machine', zh: '它是适合本机的小型推理模型' }
    return { reference: parseReference(FIRST), reason }
  }
  const reason = { en: `the tiny model, because ${obstacle.en}`, zh: `使用极小模型，因为${obstacle.zh}` }
  return { reference: parseReference(SECOND), reason }
}

async function chosenByUser(text: string, { library, offline }: StarterInput): Promise<Starter> {
  const reference = parseReference(text)
  const model = await library.find(text)
  const reason = { en: 'you chose it', zh: '由用户指定' }
  if (model) return startWith(model, reason)
  if (offline) throw new AppError('offline', { what: text })
  if (reference.type === 'name') resolveShortName(reference.name)
  return { reference, reason }
}

function startWith(model: Model, reason: Localized): Starter {
  return { reference: parseReference(model.reference), model, reason }
}

/** The newest that fits into memory; when none does, the smallest, and the planner will say what is wrong. */
function fittest(models: readonly Model[], hardware: Hardware): Model | undefined {
  return models.find((model) => model.bytes * 1.3 < usableMemory(hardware)) ?? models.toSorted((a, b) => a.bytes - b.bytes)[0]
}

function usableMemory(hardware: Hardware): number {
  // Shared memory is counted as the machine's already.
  const gpus = hardware.gpus.filter(({ vendor, sharedMemory }) => EMBEDDED_VENDORS.includes(vendor) && vendor !== 'apple' && !sharedMemory)
  return hardware.memory.availableBytes + gpus.reduce((total, gpu) => total + gpu.freeBytes, 0)
}

async function obstacleTo(entry: CatalogueEntry, input: StarterInput): Promise<Localized | undefined> {
  const memory = usableMemory(input.hardware)
  const { freeBytes } = input.hardware.disk
  if (memory < entry.bytes * MEMORY_FACTOR) {
    const free = formatBytes(memory)
    return { en: `only ${free} of memory are free`, zh: `可用内存只有 ${free}` }
  }
  if (freeBytes < entry.bytes + DISK_MARGIN_BYTES) {
    const free = formatBytes(freeBytes)
    return { en: `only ${free} of disk are free`, zh: `可用磁盘空间只有 ${free}` }
  }
  return (await hubAnswers(entry, input)) ? undefined : { en: 'no model hub answers', zh: '没有可用的模型站点' }
}

async function hubAnswers(entry: CatalogueEntry, input: StarterInput): Promise<boolean> {
  const http = input.http ?? sourceHttp(input.env)
  const references = entry.sources.map((source) => parseReference(source)).filter((item): item is RemoteReference => item.type === 'hub')
  const context = {
    env: input.env,
    http,
    run: input.run ?? runCommand,
    logger: silentLogger,
    ...(input.signal ? { signal: input.signal } : {}),
  }
  try {
    await resolveSources(references, context, SOURCE_TIMEOUT_MS)
    return true
  } catch {
    input.signal?.throwIfAborted()
    return false
  } finally {
    if (!input.http) await http.close()
  }
}
