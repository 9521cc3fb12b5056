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

interface Parallelism {
  tensor: number
  pipeline: number
}

/** Empty without cards. With a latent cache and several users also data-parallel attention, which splits the cache by users. */
export function parallelPlacements(input: PlacementInput, facts: ShapeFacts, kv: KvModel, engine: ParallelEngine, users: number): Placed[] {
  const gpus = input.machine.gpus.filter(runsParallelEngines)
  if (gpus.length === 0) return []
  const context = { input, facts, kv, engine }
  const best = mostCards(gpus, facts, (ranks, shape) => tensorSplit(input, ranks, { ...context, ...shape }))
  const canCopy = kv.isReplicated && facts.experts > 0 && gpus.length > 1
  // For one user copies are no help but to make room.
  if (!canCopy || (users === 1 && best.fits)) return [best]
  return [best, ...copiesOf(gpus).map((used) => attentionCopied(used, context, users))]
}

/** Of those that fit: a small card, or one alone in a computer, must not spoil what the others hold. Else the one on the most cards. */
function mostCards(
  gpus: readonly MachineGpu[],
  facts: ShapeFacts,
  place: (ranks: readonly MachineGpu[], shape: Parallelism) => Placed,
): Placed {
  const nodes = nodesOf(gpus)
  let first: Placed | undefined
  for (const shape of shapesOf(nodes, facts)) {
    const ranks = nodes.slice(0, shape.pipeline).flatMap((cards) => cards.slice(0, shape.tensor))
    const placed = place(ranks, shape)
    if (placed.fits) return placed
    first ??= placed
  }
  if (!first) throw new Error('there is a card')
  return first
}

function tensorSplit(input: PlacementInput, ranks: readonly MachineGpu[], context: RankContext): Placed {
  const { tensor, pipeline } = context
  const devices = alike(ranks, (gpu, isFirst) => rankDevice(gpu, isFirst, context))
  return { name: 'tensor-parallel', fits: fitsLayers(input, devices), devices, tensor, pipeline, data: 1 }
}

/** Cards of one kind hold the same: each kind is computed once, for there may be a thousand. */
function alike(gpus: readonly MachineGpu[], make: (gpu: MachineGpu, isFirst: boolean) => PlacedDevice): PlacedDevice[] {
  const known = new Map<string, PlacedDevice>()
  return gpus.map((gpu, index) => {
    const key = `${gpu.name}|${gpu.memoryBytes}|${gpu.freeBytes}|${index === 0}`
    const device = known.get(key) ?? make(gpu, index === 0)
    known.set(key, device)
    return { ...device, node: gpu.node }
  })
}

/** All cards, and without those that have least: one small card must not spoil what fits without it. */
function copiesOf(gpus: readonly MachineGpu[]): MachineGpu[][] {
  const sorted = gpus.toSorted((a, b) => b.memoryBytes - a.memoryBytes)
  const large = sorted.filter((gpu) => gpu.memoryBytes === sorted[0]?.memoryBytes)
  return [sorted, ...(large.length > 1 && large.length < sorted.length ? [large] : [])]
}

function attentionCopied(gpus: readonly MachineGpu[], context: Omit<RankContext, 'tensor' | 'pipeline'>, users: number): Placed {
  const devices = alike(gpus, (gpu) => copyDevice(gpu, { ...context, tensor: 1, pipeline: 1 }, gpus.length, users))
  return { name: 'tensor-parallel', fits: fitsLayers(context.input, devices), devices, tensor: 1, pipeline: 1, data: gpus.length }
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

/** Tensor parallel inside a computer, in sizes that divide the heads; pipeline over so many computers. The most cards first, of as many the fewest computers. */
function shapesOf(nodes: readonly (readonly MachineGpu[])[], facts: ShapeFacts): Parallelism[] {
  const shapes = nodes.flatMap(({ length }, index) => {
    const pipeline = index + 1
    const isTried = pipeline <= 8 || pipeline === nodes.length || Number.isInteger(Math.log2(pipeline))
    const sizes = TENSOR_SIZES.filter((size) => size <= Math.min(GPUS_A_NODE, length) && (facts.heads === 0 || facts.heads % size === 0))
    return isTried ? sizes.map((tensor) => ({ tensor, pipeline })) : []
  })
  return shapes.toSorted((a, b) => b.tensor * b.pipeline - a.tensor * a.pipeline || a.pipeline - b.pipeline)
}

const TENSOR_SIZES = [8, 4, 2, 1] as const

/** The cards of each computer, the largest first. */
function nodesOf(gpus: readonly MachineGpu[]): MachineGpu[][] {
  const byNode = new Map<number, MachineGpu[]>()
  for (const gpu of gpus) byNode.set(gpu.node, [...(byNode.get(gpu.node) ?? []), gpu])
  const sorted = [...byNode.values()].map((cards) => cards.toSorted((a, b) => b.freeBytes - a.freeBytes))
  return sorted.toSorted((a, b) => b.length - a.length)
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
