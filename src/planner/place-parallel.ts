/**
 * Placement of vLLM and SGLang: every layer split over the cards of one computer (tensor parallel), layers over computers (pipeline).
 * Latent caches are not split: each rank keeps the whole one (shared facts models.md 7.4). Keys of few heads are repeated when there are
 * more ranks than heads. Both engines take a fixed share of each card and give what is left of it to the cache.
 */
import { pagedComputeBytes } from './compute.ts'
import type { KvModel } from './kv-streams.ts'
import { gpuDevice } from './place-llama.ts'
import { GPU_CONTEXT_BYTES, UTILISATION } from './overheads.ts'
import { fitsAll, noParts } from './placement.ts'
import type { Placed, PlacedDevice, PlacementInput } from './placement.ts'
import { GPUS_A_NODE } from './machine.ts'
import type { MachineGpu } from './machine.ts'
import type { ShapeFacts } from './shape-facts.ts'

export type ParallelEngine = keyof typeof UTILISATION

export interface Parallelism {
  tensor: number
  pipeline: number
  /** Cards that stay unused because they divide nothing. */
  unused: number
}

/** Empty without cards. With a latent cache and several users also data-parallel attention, which splits the cache by users. */
export function parallelPlacements(input: PlacementInput, facts: ShapeFacts, kv: KvModel, engine: ParallelEngine, users: number): Placed[] {
  const gpus = input.machine.gpus.filter(runsParallelEngines)
  if (gpus.length === 0) return []
  const { tensor, pipeline } = parallelismOf(gpus, facts)
  const context = { input, facts, kv, engine }
  const ranks = ranksOf(gpus, tensor, pipeline)
  const split = ranks.map((gpu, index) => rankDevice(gpu, index === 0, { ...context, tensor, pipeline }))
  const canCopy = kv.isReplicated && facts.experts > 0 && gpus.length > 1 && users > 1
  const copied = canCopy ? gpus.map((gpu) => copyDevice(gpu, { ...context, tensor: 1, pipeline: 1 }, gpus.length, users)) : []
  return [
    { name: 'tensor-parallel', fits: fitsLayers(input, split), devices: split, tensor, pipeline, data: 1 },
    ...(canCopy
      ? [{ name: 'tensor-parallel' as const, fits: fitsLayers(input, copied), devices: copied, tensor: 1, pipeline: 1, data: gpus.length }]
      : []),
  ]
}

/** vLLM and SGLang have builds for NVIDIA, AMD, Intel's data-centre cards, Ascend and others, not for Apple's processors. */
export function runsParallelEngines({ vendor }: MachineGpu): boolean {
  return vendor !== 'apple'
}

function fitsLayers({ weights }: PlacementInput, devices: readonly PlacedDevice[]): boolean {
  return weights.layers.length > 0 && fitsAll(devices)
}

/** Every card holds all of attention and its own users' caches; only the experts are spread. Source: SGLang `--enable-dp-attention`, vLLM `-dp N --enable-expert-parallel`. */
function copyDevice(gpu: MachineGpu, context: RankContext, copies: number, users: number): PlacedDevice {
  const whole = rankDevice(gpu, true, context)
  const own = Math.ceil(users / copies) / users
  const parts = {
    ...whole.parts,
    experts: whole.parts.experts / copies,
    kv: context.input.kvBytes * own,
    lookup: whole.parts.lookup / copies,
  }
  return { ...whole, parts, kvShare: 1 }
}

/** Tensor parallel inside a computer, in sizes that divide the heads; pipeline over computers. */
export function parallelismOf(gpus: readonly MachineGpu[], facts: ShapeFacts): Parallelism {
  const nodes = new Set(gpus.map((gpu) => gpu.node)).size
  const inNode = Math.min(
    GPUS_A_NODE,
    ...[...new Set(gpus.map((gpu) => gpu.node))].map((node) => gpus.filter((gpu) => gpu.node === node).length),
  )
  const tensor = [8, 4, 2, 1].find((size) => size <= inNode && (facts.heads === 0 || facts.heads % size === 0)) ?? 1
  const pipeline = nodes > 1 ? nodes : 1
  return { tensor, pipeline, unused: gpus.length - tensor * pipeline }
}

function ranksOf(gpus: readonly MachineGpu[], tensor: number, pipeline: number): MachineGpu[] {
  if (pipeline === 1) return gpus.toSorted((a, b) => b.freeBytes - a.freeBytes).slice(0, tensor)
  return Array.from({ length: pipeline }, (_, node) => gpus.filter((gpu) => gpu.node === node).slice(0, tensor)).flat()
}

interface RankContext {
  input: PlacementInput
  facts: ShapeFacts
  kv: KvModel
  engine: ParallelEngine
  tensor: number
  pipeline: number
}

function rankDevice(gpu: MachineGpu, isFirst: boolean, { input, facts, kv, engine, tensor, pipeline }: RankContext): PlacedDevice {
  const { weights, kvBytes } = input
  const usable = Math.min(gpu.memoryBytes * UTILISATION[engine], gpu.freeBytes)
  const sum = (part: 'attention' | 'dense' | 'experts'): number => weights.layers.reduce((total, layer) => total + layer[part], 0)
  const copied = replicatedShare(facts)
  const attention = sum('attention') * (copied + (1 - copied) / tensor)
  const resident = (attention + sum('dense') / tensor) / pipeline
  const outer = (weights.embedding + weights.output) / tensor
  const parts = noParts()
  parts.weights = resident + outer
  parts.experts = sum('experts') / tensor / pipeline
  parts.lookup = weights.lookup / tensor / pipeline
  parts.draft = input.withDraft ? weights.draft / tensor : 0
  parts.kv = (kvBytes * kvShareOfRank(kv, tensor)) / pipeline
  parts.compute = pagedComputeBytes(facts, tensor)
  parts.overhead = GPU_CONTEXT_BYTES
  return {
    ...gpuDevice(gpu, usable),
    parts,
    layers: Math.ceil(weights.layers.length / pipeline),
    readAlways: resident + (isFirst || pipeline === 1 ? (weights.output + (weights.isTied ? weights.embedding : 0)) / tensor : 0),
    kvShare: kvShareOfRank(kv, tensor) / pipeline,
  }
}

export function kvShareOfRank({ isReplicated, kvHeads }: KvModel, tensor: number): number {
  return isReplicated || kvHeads === 0 ? 1 : 1 / Math.min(tensor, kvHeads)
}

/** The projections to the latents are the same on every rank. */
function replicatedShare({ latent, compression, hidden, heads, queryRank, headDim }: ShapeFacts): number {
  if (latent) {
    const copied = hidden * (queryRank + latent.rank + latent.rope)
    const split =
      heads * (queryRank || hidden) * (latent.nope + latent.rope) +
      heads * latent.rank * (latent.nope + latent.value) +
      heads * latent.value * hidden
    return copied / (copied + split)
  }
  if (!compression) return 0
  const copied = hidden * (queryRank + headDim)
  return copied / (copied + heads * headDim * queryRank + 2 * heads * headDim * 1024)
}
