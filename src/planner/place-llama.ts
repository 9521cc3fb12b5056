/**
 * Placements of the embedded engine (llama.cpp): everything on one card, layers split over cards, routed experts in ordinary memory with
 * attention on the card, some layers on the card, everything in memory. llama.cpp keeps the token embeddings in ordinary memory and
 * puts the head on the last card; each card that is used has its own context and compute buffer. Source: llama.cpp src/llama-model.cpp
 * `load_tensors` (get_layer_buft_list), tools/server `--n-cpu-moe`, `--gpu-layers`.
 */
import type { MachineGpu } from './machine.ts'
import { GPU_CONTEXT_BYTES, processBytes, usableGpu, usableMemory } from './overheads.ts'
import { fitsAll, noParts, usedBytes } from './placement.ts'
import type { DevicePart, Placed, PlacedDevice, PlacementInput, PlacementName } from './placement.ts'
import type { LayerWeights } from './weights.ts'

/** All that make sense on this machine, whether they fit or not; the last is memory alone. Those on the most cards come first. */
export function llamaPlacements(input: PlacementInput): Placed[] {
  const gpus = input.machine.gpus.filter(isDriven)
  if (gpus.length === 0) return [inMemory(input)]
  const hasExperts = input.weights.layers.some((layer) => layer.experts > 0)
  if (gpus.some((gpu) => gpu.isUnified)) return [allOnGpus(input, gpus.slice(0, 1)), inMemory(input)]
  const sets = setsOf(gpus)
  return [
    ...singles(gpus).map((gpu) => allOnGpus(input, [gpu])),
    ...sets.filter((set) => set.length > 1).map((set) => allOnGpus(input, set)),
    ...(hasExperts ? sets.map((set) => expertsInMemory(input, set)) : []),
    ...sets.map((set) => partlyOnGpus(input, set)),
    inMemory(input),
  ]
}

/** All cards, and those alone that are larger than others: a small card, which needs its own context and buffers, must not spoil the rest. */
function setsOf(gpus: readonly MachineGpu[]): (readonly MachineGpu[])[] {
  const sizes = [...new Set(gpus.map((gpu) => gpu.freeBytes))].toSorted((a, b) => a - b).slice(0, MOST_SIZES)
  return sizes.map((least) => gpus.filter((gpu) => gpu.freeBytes >= least))
}

/** Cards of so many different sizes are looked at one by one. */
const MOST_SIZES = 4

/** For engines that need cards, on a machine that has none: where it would lie, but does not run. */
export function withoutCards(input: PlacementInput): Placed {
  return { ...inMemory(input), fits: false }
}

/** The embedded engine has builds for these. */
export function isDriven({ vendor }: MachineGpu): boolean {
  return vendor === 'nvidia' || vendor === 'amd' || vendor === 'intel' || vendor === 'apple' || vendor === 'other'
}

/** One card is enough to look at of several that are the same. */
function singles(gpus: readonly MachineGpu[]): MachineGpu[] {
  const best = gpus.toSorted((a, b) => b.freeBytes - a.freeBytes || (b.bandwidth ?? 0) - (a.bandwidth ?? 0))
  return best.slice(0, 1)
}

function allOnGpus(input: PlacementInput, gpus: readonly MachineGpu[]): Placed {
  const { layers } = input.weights
  return place(input, gpus, gpus.length > 1 ? 'layers-split' : 'gpu', { onGpu: layers.length, expertsOnGpu: layers.length })
}

/** As many layers' experts on the cards as fit; none is the least. */
function expertsInMemory(input: PlacementInput, gpus: readonly MachineGpu[]): Placed {
  const { layers } = input.weights
  const name = 'experts-in-memory'
  return most(layers.length - 1, (expertsOnGpu) => place(input, gpus, name, { onGpu: layers.length, expertsOnGpu }))
}

function partlyOnGpus(input: PlacementInput, gpus: readonly MachineGpu[]): Placed {
  const { layers } = input.weights
  return most(Math.max(1, layers.length - 1), (onGpu) =>
    place(input, gpus, 'partly-on-gpu', { onGpu: Math.max(1, onGpu), expertsOnGpu: onGpu }),
  )
}

/** The last of 0 … count that fits on the cards; by halving, since more never takes less. */
function most(count: number, placed: (value: number) => Placed): Placed {
  let [low, high] = [0, Math.max(0, count)]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fitsAll(placed(middle).devices.filter((device) => device.kind === 'gpu'))) low = middle
    else high = middle - 1
  }
  return placed(low)
}

function inMemory(input: PlacementInput): Placed {
  return place(input, [], 'memory', { onGpu: 0, expertsOnGpu: 0 })
}

interface Split {
  /** The last so many layers lie on cards. */
  onGpu: number
  /** … and of so many the experts too. */
  expertsOnGpu: number
}

type Parts = Record<DevicePart, number>
interface Draft {
  device: PlacedDevice
  parts: Parts
  layers: number
  readAlways: number
}

function place(input: PlacementInput, gpus: readonly MachineGpu[], name: PlacementName, split: Split): Placed {
  const { weights, kvBytes, computeBytes, machine } = input
  const host = hostDraft(input, gpus)
  const cards = gpus.map(gpuDraft)
  for (const { parts } of cards) {
    parts.overhead += GPU_CONTEXT_BYTES
    parts.compute += computeBytes
  }
  const kvEach = weights.layers.length === 0 ? 0 : kvBytes / weights.layers.length
  placeLayers(cards, host, weights.layers, kvEach, split)
  const last = split.onGpu > 0 ? cards.at(-1) : undefined
  placeOuter(input, host, last)
  if (cards.length === 0) host.parts.compute += computeBytes
  const drafts = [...cards, host]
  const devices = drafts.map((draft) => finished(draft, kvBytes))
  const isOneMemory = gpus.some((gpu) => gpu.isUnified)
  const all = isOneMemory ? [merged(devices)] : devices
  return {
    name,
    fits: weights.layers.length > 0 && fitsAll(all) && machine.nodes >= 1,
    devices: all,
    tensor: 1,
    pipeline: Math.max(1, cards.length),
    data: 1,
  }
}

function placeLayers(cards: readonly Draft[], host: Draft, layers: readonly LayerWeights[], kvEach: number, split: Split): void {
  const firstOnGpu = layers.length - split.onGpu
  const firstExperts = layers.length - split.expertsOnGpu
  const total = cards.reduce((sum, card) => sum + Math.max(0, card.device.usable - used(card)), 0)
  const placed = layers.slice(firstOnGpu).map((layer, index) => ({
    layer,
    experts: firstOnGpu + index >= firstExperts ? layer.experts : 0,
  }))
  const needed = placed.reduce((sum, { layer, experts }) => sum + layer.attention + layer.dense + experts + kvEach, 0)
  for (const layer of layers.slice(0, firstOnGpu)) put(host, layer, layer.experts, kvEach)
  // In proportion to what each card has free, as llama.cpp splits; a card that is full passes on.
  let card = 0
  let room = cards[0] ? share(cards[0], needed, total) : 0
  for (const { layer, experts } of placed) {
    const size = layer.attention + layer.dense + experts + kvEach
    while (card < cards.length - 1 && room < size / 2) {
      card += 1
      const next = cards[card]
      room += next ? share(next, needed, total) : 0
    }
    const target = cards[card] ?? host
    put(target, layer, experts, kvEach)
    room -= size
    host.parts.experts += layer.experts - experts
  }
}

function share(card: Draft, needed: number, total: number): number {
  return total === 0 ? 0 : (needed * Math.max(0, card.device.usable - used(card))) / total
}

function put(target: Draft, layer: LayerWeights, experts: number, kv: number): void {
  target.parts.weights += layer.attention + layer.dense
  target.parts.experts += experts
  target.parts.kv += kv
  target.layers += 1
  target.readAlways += layer.attention + layer.dense
}

/** Embeddings and lookup tables stay in memory; the head is where the last layer is. A tied head is a second copy on the card. */
function placeOuter({ weights, vocabulary, withDraft }: PlacementInput, host: Draft, last: Draft | undefined): void {
  const head = last ?? host
  const tied = weights.isTied ? weights.embedding : 0
  host.parts.weights += weights.embedding
  host.parts.lookup += weights.lookup
  host.parts.overhead += processBytes(vocabulary)
  head.parts.weights += weights.output + (last ? tied : 0)
  head.readAlways += weights.output + tied
  if (withDraft) head.parts.draft += weights.draft
}

function hostDraft({ machine }: PlacementInput, gpus: readonly MachineGpu[]): Draft {
  const unified = gpus.find((gpu) => gpu.isUnified)
  const { memory } = machine
  const usable = usableMemory(memory.freeBytes)
  return {
    parts: noParts(),
    layers: 0,
    readAlways: 0,
    device: {
      name: 'memory',
      kind: 'memory',
      node: 0,
      capacity: memory.totalBytes,
      usable: unified ? Math.min(usable, usableGpu(unified.freeBytes)) : usable,
      parts: noParts(),
      layers: 0,
      readAlways: 0,
      kvShare: 0,
      bandwidth: memory.bandwidth,
      flops: machine.cpuFlops,
    },
  }
}

function gpuDraft(gpu: MachineGpu): Draft {
  return { parts: noParts(), layers: 0, readAlways: 0, device: gpuDevice(gpu, usableGpu(gpu.freeBytes)) }
}

export function gpuDevice(gpu: MachineGpu, usable: number): PlacedDevice {
  return {
    name: gpu.name,
    kind: 'gpu',
    node: gpu.node,
    capacity: gpu.memoryBytes,
    usable,
    parts: noParts(),
    layers: 0,
    readAlways: 0,
    kvShare: 0,
    bandwidth: gpu.bandwidth,
    flops: gpu.fp16 === undefined ? undefined : { low: gpu.fp16 * 0.25, high: gpu.fp16 * 0.6 },
  }
}

function finished({ device, parts, layers, readAlways }: Draft, kvBytes: number): PlacedDevice {
  return { ...device, parts, layers, readAlways, kvShare: kvBytes > 0 ? parts.kv / kvBytes : 0 }
}

/** Card and processor share one memory: what lies in either counts once, in one. */
function merged(devices: readonly PlacedDevice[]): PlacedDevice {
  const [card, host] = devices
  if (!card || !host) throw new Error('a card and a memory were placed')
  const parts = noParts()
  for (const device of devices) for (const part of Object.keys(parts) as DevicePart[]) parts[part] += device.parts[part]
  return {
    ...card,
    parts,
    kvShare: 1,
    layers: card.layers + host.layers,
    readAlways: card.readAlways + host.readAlways,
    usable: Math.min(card.usable, host.usable || card.usable),
  }
}

function used({ parts }: Draft): number {
  return usedBytes({ parts })
}
