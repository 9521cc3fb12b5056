/**
 * What a model would need on this machine, and settings with which it fits. Pure.
 * All sizes are bytes. The engine's cells are bounded by `kvBytes`; `parallel` requests share them.
 */
import type { KvCacheType, ModelFacts } from '../models/model-facts.ts'
import type { Hardware } from '../shared/api.ts'
import { EMBEDDED_VENDORS } from '../shared/hardware.ts'
import { llamaComputeBytes } from './compute.ts'
import { DEFAULT_CONTEXT } from './defaults.ts'
import { MICRO_BATCH } from './kv-streams.ts'
import { visibleCard } from './machine.ts'
import { GPU_CONTEXT_BYTES, processBytes, usableGpu, usableMemory } from './overheads.ts'

export interface PlanSettings {
  context: number
  parallel: number
  kvType: KvCacheType
  kvBytes: number
  /** Of all layers together. */
  kvBytesPerToken: number
  cacheBytes: number
  /** 0 = none, -1 = all. */
  gpuLayers: number
}

export interface PlanWishes {
  context?: number
  parallel?: number
  kvType?: KvCacheType
  /** 0 keeps everything in ordinary memory, e.g. when the engine has no build for the GPU. */
  gpuLayers?: number
}

export interface PlanMemory {
  weights: number
  kv: number
  compute: number
  overhead: number
  /** The prefix cache's second tier. */
  cache: number
  total: number
  /** On all devices that are used, margins kept free. */
  available: number
}

export interface Plan {
  fits: boolean
  settings: PlanSettings
  memory: PlanMemory
  /** Tokens of the longest window that one request alone could have here, whatever was wished. */
  largestContext: number
  /** Why it does not fit, or not as wished. */
  reason?: string
}

export const DEFAULT_PARALLEL = 8
const SMALLEST_CONTEXT = 512
/** Below this we would rather quantise the cache than shorten the window. */
const COMFORTABLE_CONTEXT = 4096
/** Tokens that each of several parallel requests should have at least. */
const TOKENS_A_REQUEST = 1024
/** Unless asked, the KV cache takes no more: it is cleared at load, which costs time. */
const MOST_KV_BYTES = 4_000_000_000
const MOST_CACHE_BYTES = 4_000_000_000

/** Chooses settings for the embedded engine. With `fits: false` the numbers are those of the smallest plan, which is too large. */
export function planModel(facts: ModelFacts, hardware: Hardware, wishes: PlanWishes = {}): Plan {
  const pools = poolsOf(hardware, wishes)
  const withGpu = pools.gpu > 0 ? fitInto(facts, wishes, pools, true) : undefined
  if (withGpu?.fits) return withGpu
  return fitInto(facts, wishes, { ...pools, gpu: 0 }, false)
}

/** Of V3: two rows of the latent, one of a query, one of a value. */
const LARGEST_LATENT_ROW = 1408
const MODEST_EXPERT = 2048

/** The formula of compute.ts for a file whose facts are known, on the safe side: the layout is not chosen yet. Bytes. */
export function computeBytesOf(facts: ModelFacts, context: number): number {
  const { vocabularySize: vocabulary, embeddingLength: hidden, feedForwardLength, attention, headCount } = facts
  // The file's facts do not name the widths of experts and latents: those of the large DeepSeek models are taken.
  const latent = attention === 'mla' ? headCount * LARGEST_LATENT_ROW : 0
  const alive = 8 * hidden + Math.max(3 * feedForwardLength, latent, (facts.activeExperts ?? 0) * (2 * MODEST_EXPERT + hidden))
  return llamaComputeBytes({ vocabulary, hidden, alive }, context, MICRO_BATCH)
}

interface Pools {
  /** Ordinary memory that may be used. */
  memory: number
  /** GPU memory that may be used; on Apple it is part of ordinary memory. */
  gpu: number
  unified: boolean
}

function poolsOf(hardware: Hardware, wishes: PlanWishes): Pools {
  const memory = usableMemory(hardware.memory.availableBytes)
  const gpus = wishes.gpuLayers === 0 ? [] : hardware.gpus.filter((gpu) => EMBEDDED_VENDORS.includes(gpu.vendor)).flatMap(visibleCard)
  const gpu = gpus.reduce((total, device) => total + usableGpu(device.freeBytes), 0)
  const unified = gpus.some((device) => device.sharedMemory ?? device.vendor === 'apple')
  return { memory, gpu: unified ? Math.min(gpu, memory) : gpu, unified }
}

function fitInto(facts: ModelFacts, wishes: PlanWishes, pools: Pools, useGpu: boolean): Plan {
  const available = pools.unified ? pools.memory : pools.memory + pools.gpu
  for (const attempt of attemptsOf(facts, wishes)) {
    const plan = planAttempt(facts, wishes, attempt, pools, available, useGpu)
    if (plan) return plan
  }
  return tooLarge(facts, wishes, available)
}

interface Attempt {
  kvType: KvCacheType
  /** The window that we would like, and the least that we accept. */
  most: number
  least: number
}

/** Best first: the whole window, then a shorter one, then a quantised cache, then whatever fits. */
function attemptsOf(facts: ModelFacts, wishes: PlanWishes): Attempt[] {
  const trained = facts.trainedContext > 0 ? facts.trainedContext : DEFAULT_CONTEXT
  if (wishes.context !== undefined) {
    const context = Math.max(1, wishes.context)
    const types: KvCacheType[] = wishes.kvType ? [wishes.kvType] : ['f16', 'q8_0']
    return types.map((kvType) => ({ kvType, most: context, least: context }))
  }
  const most = Math.min(trained, DEFAULT_CONTEXT)
  const comfortable = Math.min(most, COMFORTABLE_CONTEXT)
  const least = Math.min(most, SMALLEST_CONTEXT)
  if (wishes.kvType) return [{ kvType: wishes.kvType, most, least }]
  return [
    { kvType: 'f16', most, least: comfortable },
    { kvType: 'q8_0', most: comfortable, least },
  ]
}

function planAttempt(
  facts: ModelFacts,
  wishes: PlanWishes,
  attempt: Attempt,
  pools: Pools,
  available: number,
  useGpu: boolean,
): Plan | undefined {
  const overhead = overheadOf(facts, useGpu)
  const perToken = facts.kvBytesPerToken(attempt.kvType)
  const compute = computeBytesOf(facts, attempt.most)
  const room = available - facts.weightBytes - overhead - compute - facts.stateBytesPerSequence
  if (room < attempt.least * perToken) return undefined
  const context = perToken === 0 ? attempt.most : Math.max(attempt.least, roundContext(Math.min(attempt.most, room / perToken)))
  const kv = kvBytesOf(perToken, context, room, wishes)
  const parallel = parallelOf(facts, wishes, perToken, kv, context, room)
  const state = facts.stateBytesPerSequence * (parallel - 1)
  const left = room - kv - state
  const cache = Math.max(0, Math.min(MOST_CACHE_BYTES, Math.floor(left / 4)))
  const weights = facts.weightBytes
  const total = weights + kv + compute + overhead + cache + facts.stateBytesPerSequence * parallel
  const gpuLayers = useGpu ? gpuLayersOf(facts, kv, compute, pools, wishes) : 0
  if (useGpu && gpuLayers === 0) return undefined
  if (!ramHolds(facts, { kv, compute, overhead, cache }, gpuLayers, pools)) return undefined
  return {
    fits: true,
    settings: { context, parallel, kvType: attempt.kvType, kvBytes: kv, kvBytesPerToken: perToken, cacheBytes: cache, gpuLayers },
    memory: { weights, kv, compute, overhead: overhead + facts.stateBytesPerSequence * parallel, cache, total, available },
    largestContext: Math.max(context, largestContextOf(facts, perToken, available - overhead)),
    ...(context < attempt.most ? { reason: `memory is enough for a window of ${context} tokens only` } : {}),
  }
}

function overheadOf(facts: ModelFacts, useGpu: boolean): number {
  return processBytes(facts.vocabularySize) + (useGpu ? GPU_CONTEXT_BYTES : 0)
}

/** `bytes` are for weights, one sequence's cache and compute. */
function largestContextOf(facts: ModelFacts, perToken: number, bytes: number): number {
  const trained = facts.trainedContext > 0 ? facts.trainedContext : DEFAULT_CONTEXT
  const room = bytes - facts.weightBytes - facts.stateBytesPerSequence - computeBytesOf(facts, trained)
  if (room < 0) return 0
  return perToken === 0 ? trained : Math.min(trained, roundContext(room / perToken))
}

/** Multiples of 256 cells, as libllama pads. */
function roundContext(context: number): number {
  return context >= 256 ? Math.floor(context / 256) * 256 : Math.floor(context)
}

/** One whole window at least; every request its own window when memory is plentiful; a quarter of the room unless asked for more. */
function kvBytesOf(perToken: number, context: number, room: number, wishes: PlanWishes): number {
  const one = context * perToken
  const everybody = one * (wishes.parallel ?? DEFAULT_PARALLEL)
  const asked = wishes.context !== undefined && wishes.parallel !== undefined
  const cap = asked ? room : Math.min(MOST_KV_BYTES, room / 4)
  return Math.floor(Math.max(one, Math.min(everybody, cap)))
}

function parallelOf(facts: ModelFacts, wishes: PlanWishes, perToken: number, kv: number, context: number, room: number): number {
  const tokensEach = Math.min(context, TOKENS_A_REQUEST)
  const byCells = perToken === 0 ? DEFAULT_PARALLEL : Math.floor(kv / perToken / tokensEach)
  const byState = facts.stateBytesPerSequence === 0 ? Number.POSITIVE_INFINITY : 1 + Math.floor((room - kv) / facts.stateBytesPerSequence)
  return Math.max(1, Math.min(wishes.parallel ?? Math.min(DEFAULT_PARALLEL, byCells), byState))
}

/** All layers when they fit, else as many as the GPUs hold beside their share of the cache. */
function gpuLayersOf(facts: ModelFacts, kv: number, compute: number, pools: Pools, wishes: PlanWishes): number {
  const fixed = compute + GPU_CONTEXT_BYTES
  if (facts.weightBytes + kv + fixed <= pools.gpu) return wishes.gpuLayers ?? -1
  const perLayer = (facts.weightBytes - facts.outerWeightBytes + kv) / facts.layers
  const layers = Math.floor((pools.gpu - fixed) / perLayer)
  return Math.max(0, Math.min(wishes.gpuLayers === undefined || wishes.gpuLayers < 0 ? facts.layers : wishes.gpuLayers, layers))
}

/** What does not lie on the GPU must fit into ordinary memory. */
function ramHolds(
  facts: ModelFacts,
  parts: { kv: number; compute: number; overhead: number; cache: number },
  gpuLayers: number,
  pools: Pools,
): boolean {
  if (pools.unified || gpuLayers === 0) return true
  const onGpu = gpuLayers < 0 ? 1 : gpuLayers / facts.layers
  const weights = gpuLayers < 0 ? 0 : facts.outerWeightBytes + (facts.weightBytes - facts.outerWeightBytes) * (1 - onGpu)
  return weights + parts.kv * (1 - onGpu) + parts.compute + parts.overhead - GPU_CONTEXT_BYTES + parts.cache <= pools.memory
}

function tooLarge(facts: ModelFacts, wishes: PlanWishes, available: number): Plan {
  const attempt = attemptsOf(facts, wishes).at(-1) ?? { kvType: 'f16', most: SMALLEST_CONTEXT, least: SMALLEST_CONTEXT }
  const context = attempt.least
  const kv = context * facts.kvBytesPerToken(attempt.kvType)
  const compute = computeBytesOf(facts, context)
  const overhead = overheadOf(facts, false) + facts.stateBytesPerSequence
  const total = facts.weightBytes + kv + compute + overhead
  return {
    fits: false,
    settings: {
      context,
      parallel: 1,
      kvType: attempt.kvType,
      kvBytes: kv,
      kvBytesPerToken: facts.kvBytesPerToken(attempt.kvType),
      cacheBytes: 0,
      gpuLayers: 0,
    },
    memory: { weights: facts.weightBytes, kv, compute, overhead, cache: 0, total, available },
    largestContext: largestContextOf(facts, facts.kvBytesPerToken(attempt.kvType), available - overhead),
    reason:
      facts.weightBytes > available ? 'the weights alone are larger than the free memory' : `a window of ${context} tokens does not fit`,
  }
}
