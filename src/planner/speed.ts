/**
 * Tokens per second, as a range. Estimates: a token cannot come faster than the memory gives the bytes that it must read, nor a prompt faster
 * than the arithmetic units compute it. Decode: time = Σ over devices (weights read + cache read) ÷ (bandwidth × efficiency) + per-layer cost.
 * Experts: a batch of B tokens touches E × (1 − (1 − k/E)^B) of E. Source: shared facts models.md 7.1; roofline model (Williams 2009).
 */
import { attentionWork } from './attention-work.ts'
import { cellBytesFor } from './kv-read.ts'
import type { KvModel } from './kv-streams.ts'
import type { KvType } from './kv-cache.ts'
import type { Placed, PlacedDevice } from './placement.ts'
import type { ShapeFacts } from './shape-facts.ts'

export interface Range {
  low: number
  high: number
}

export interface Speed {
  /** Tokens/s of one user alone, at the planned context. */
  decode: Range
  /** Tokens/s of all users together. */
  decodeAll: Range
  /** Tokens/s of a prompt. */
  prefill: Range
  /** Bytes that a token of one user reads. */
  readPerToken: number
  isCorrected: boolean
}

export interface SpeedInput {
  placed: Placed
  facts: ShapeFacts
  kv: KvModel
  kvType: KvType
  context: number
  users: number
  activeParameters: number
  correction?: SpeedCorrection
}

/** Measured ÷ predicted, of real loads here. */
export interface SpeedCorrection {
  decode?: number
  prefill?: number
}

/** What engines reach of the data sheet's bandwidth. */
const GPU_EFFICIENCY: Range = { low: 0.5, high: 0.85 }
const CPU_EFFICIENCY: Range = { low: 0.5, high: 0.9 }
/** Kernel starts and synchronisation of one layer, s; with captured graphs and several cards. */
const LAYER_SECONDS: Range = { low: 60e-6, high: 15e-6 }
/**
 * … with experts, in llama.cpp and in vLLM and SGLang: routing and many small products. From published runs of R1: 8 × A100 and H100 AWQ in vLLM
 * 47 and 62 tokens/s of one user (card of cognitivecomputations/DeepSeek-V3-AWQ), 8 × H200 in SGLang 12.8 ms a step of 8 users (InferenceX 870).
 */
const EXPERT_LAYER_SECONDS: Readonly<Record<'llama' | 'parallel', Range>> = {
  llama: { low: 350e-6, high: 50e-6 },
  parallel: { low: 300e-6, high: 90e-6 },
}
const EXCHANGE_SECONDS: Range = { low: 40e-6, high: 15e-6 }
/** From one computer to the next; 2 × 8 H100 give one user of R1 about 32 tokens/s (tt-inference-server 356). */
const HOP_SECONDS: Range = { low: 3e-3, high: 300e-6 }
/** Between system memory and card, PCIe 4 x16, as copied. */
const BUS_BYTES = 22e9
/** A card that is in no table, relative to its memory. */
const UNKNOWN_BANDWIDTH = 300e9
const FLOPS_A_BYTE = 60

/** Undefined when nothing is known of the model's layers. */
export function speedOf(input: SpeedInput): Speed | undefined {
  const { placed, facts, users, correction = {} } = input
  if (facts.layers === 0 || placed.devices.length === 0) return undefined
  const one = { low: 1 / stepSeconds(input, 1, 'low'), high: 1 / stepSeconds(input, 1, 'high') }
  const all = { low: users / stepSeconds(input, users, 'low'), high: users / stepSeconds(input, users, 'high') }
  return {
    decode: corrected(one, correction.decode),
    decodeAll: corrected(all, correction.decode),
    prefill: corrected({ low: prefillRate(input, 'low'), high: prefillRate(input, 'high') }, correction.prefill),
    readPerToken: placed.devices.reduce((sum, device) => sum + bytesRead(device, input, 1, input.context), 0),
    isCorrected: correction.decode !== undefined || correction.prefill !== undefined,
  }
}

/** Around the corrected middle the range is narrower, since this machine has been seen. */
function corrected(range: Range, factor: number | undefined): Range {
  if (factor === undefined) return range
  const middle = Math.sqrt(range.low * range.high) * factor
  return { low: middle * 0.8, high: middle * 1.2 }
}

type End = keyof Range

/** One step that gives each of `batch` users a token. */
function stepSeconds(input: SpeedInput, batch: number, end: End): number {
  const { placed, facts } = input
  // The pessimist's users are at the end of their windows, the optimist's in the middle.
  const tokens = end === 'low' ? input.context : Math.ceil(input.context / 2)
  const times = placed.devices.map((device) => deviceSeconds(device, input, batch, tokens, end))
  const isTensor = placed.tensor > 1 || placed.data > 1
  const layers = layerSeconds(input, end)
  const exchange =
    (isTensor ? 2 * facts.layers * EXCHANGE_SECONDS[end] : 0) +
    (placed.name === 'tensor-parallel' ? (placed.pipeline - 1) * HOP_SECONDS[end] : placed.pipeline * 20e-6)
  // Ranks of one layer work at the same time; stages and split layers one after the other.
  const stages = isTensor ? stageTimes(times, Math.max(placed.tensor, placed.data)) : times
  return stages.reduce((sum, time) => sum + time, 0) + (placed.devices.every(isMemory) ? layers / 4 : layers) + exchange
}

function layerSeconds({ placed, facts }: SpeedInput, end: End): number {
  const plain = facts.experts > 0 ? facts.denseLayers : facts.layers
  const experts = EXPERT_LAYER_SECONDS[placed.name === 'tensor-parallel' ? 'parallel' : 'llama'][end]
  return plain * LAYER_SECONDS[end] + (facts.layers - plain) * experts
}

function stageTimes(times: readonly number[], tensor: number): number[] {
  const stages: number[] = []
  for (let start = 0; start < times.length; start += tensor) stages.push(Math.max(...times.slice(start, start + tensor)))
  return stages
}

function deviceSeconds(device: PlacedDevice, input: SpeedInput, batch: number, tokens: number, end: End): number {
  const bandwidth = (device.bandwidth ?? UNKNOWN_BANDWIDTH) * (isMemory(device) ? CPU_EFFICIENCY : GPU_EFFICIENCY)[end]
  const share = deviceShare(device, input)
  const computed = (2 * input.activeParameters * share * batch) / flopsOf(device)[end]
  return Math.max(bytesRead(device, input, batch, tokens) / bandwidth, computed)
}

function bytesRead(device: PlacedDevice, { facts, kv, kvType, placed }: SpeedInput, batch: number, tokens: number): number {
  const { experts, activeExperts } = facts
  const touched = experts > 0 ? 1 - (1 - activeExperts / experts) ** batch : 0
  const allocation = placed.name === 'tensor-parallel' ? 'paged' : 'llama'
  const cache = cellBytesFor(kv, kvType, allocation, tokens, facts.index?.topK ?? 0) * device.kvShare
  return device.readAlways + device.parts.experts * touched + Math.ceil(batch / placed.data) * cache
}

/** Of the weights that a token passes, by bytes. */
function deviceShare(device: PlacedDevice, { placed, facts }: SpeedInput): number {
  const touched = facts.experts > 0 ? facts.activeExperts / facts.experts : 0
  const own = (item: PlacedDevice): number => item.readAlways + item.parts.experts * touched
  const all = placed.devices.reduce((sum, item) => sum + own(item), 0)
  return all === 0 ? 0 : own(device) / all
}

/** Prompts are computed in micro-batches: arithmetic bound, unless experts must cross the bus. */
function prefillRate(input: SpeedInput, end: End): number {
  const { placed, activeParameters, context, facts } = input
  const work = 2 * activeParameters + attentionWork(facts, context / 2)
  const gpus = placed.devices.filter((device) => !isMemory(device))
  const seconds = placed.devices.map((device) => {
    const own = (work * deviceShare(device, input)) / flopsOf(device)[end]
    if (!isMemory(device) || gpus.length === 0) return own
    // llama.cpp copies the weights of a large batch to the card when that is faster than the processor.
    const copied = (device.readAlways + device.parts.experts) / BUS_BYTES / 512
    return Math.min(own, copied)
  })
  const isTensor = placed.tensor > 1 || placed.data > 1
  const total = isTensor ? Math.max(...seconds) * placed.pipeline : seconds.reduce((sum, time) => sum + time, 0)
  return total > 0 ? 1 / total : 0
}

function flopsOf(device: PlacedDevice): Range {
  if (device.flops) return device.flops
  const guess = (device.bandwidth ?? UNKNOWN_BANDWIDTH) * FLOPS_A_BYTE
  return { low: guess * 0.15, high: guess * 0.5 }
}

function isMemory(device: PlacedDevice): boolean {
  return device.kind === 'memory'
}
