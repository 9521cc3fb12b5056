/** Each term of a plan: the formula with names, the same with the numbers put in, the result, and where the formula is from. */
import type { PlanTerm } from '../shared/plan.ts'
import { computeRowOf, outputsOf } from './compute.ts'
import type { DeviceNumber } from './devices/device.ts'
import type { KvPart } from './kv-cache.ts'
import { MICRO_BATCH } from './kv-streams.ts'
import type { KvStream } from './kv-streams.ts'
import { GPU_CONTEXT_BYTES, processBytes, UTILISATION } from './overheads.ts'
import { usedBytes } from './placement.ts'
import { activeParameters } from './planner-situation.ts'
import type { Situation, Subject } from './planner-situation.ts'

export function termsOf(subject: Subject, situation: Situation): PlanTerm[] {
  return [
    weightTerm(subject, situation),
    ...situation.kv.parts.map((part, index) => kvTerm(part, subject.kvModel.streams[index], subject, situation)),
    computeTerm(subject, situation),
    overheadTerm(subject, situation),
    ...cardTerms(subject),
    ...speedTerms(subject, situation),
  ]
}

function weightTerm({ header }: Subject, { weights }: Situation): PlanTerm {
  const basis = { exact: 'exact', recipe: 'formula', formula: 'formula', measured: 'estimate' } as const
  const bits = weights.parameters === 0 ? 0 : (weights.total * 8) / weights.parameters
  const count = header.tensors?.length ?? 0
  const formula = {
    exact: 'Σ tensors bytes',
    recipe: "Σ tensors rows × ⌈columns / block⌉ × block bytes, type by llama.cpp's rules",
    formula: 'Σ tensors of the shape rows × ⌈columns / block⌉ × block bytes',
    measured: 'parameters × bits per weight / 8',
  }[weights.basis]
  const sources = {
    exact: `headers of ${header.files.length} files, ${count} tensors`,
    recipe: 'llama.cpp src/llama-quant.cpp',
    formula: `config.json (${header.source}), llama.cpp src/llama-quant.cpp; not read from files`,
    measured: 'llama.cpp tools/quantize/README.md, whole files',
  }
  return {
    id: 'weights',
    label: { en: `Weights (${weights.quantization})`, zh: `权重（${weights.quantization}）` },
    formula,
    numbers: `${grouped(weights.parameters)} × ${bits.toFixed(3)} / 8`,
    value: weights.total,
    unit: 'bytes',
    basis: basis[weights.basis],
    source: sources[weights.basis],
  }
}

const STREAM_SOURCES: Readonly<Record<KvStream['name'], string>> = {
  'keys-values': 'llama.cpp src/llama-kv-cache.cpp: a K and a V row in each layer',
  window: 'llama.cpp src/llama-kv-cache-iswa.cpp',
  latent: 'DeepSeek-V2 paper (arXiv 2405.04434); llama.cpp src/llama-kv-cache.cpp: with MLA, V is a view of K',
  'index-keys': 'DeepSeek-V3.2 (DSA); llama.cpp src/llama-kv-cache-dsa.cpp',
  compressed: 'llama.cpp src/llama-kv-cache-dsv4.cpp',
  'compressed-index': 'llama.cpp src/llama-kv-cache-dsv4.cpp',
  'compressed-window': 'llama.cpp src/llama-kv-cache-dsv4.cpp: window + micro-batch',
  state: 'llama.cpp src/llama-memory-recurrent.cpp, F32',
}

const STREAM_LABELS: Readonly<Record<KvStream['name'], PlanTerm['label']>> = {
  'keys-values': { en: 'KV cache: keys and values', zh: 'KV 缓存：键和值' },
  window: { en: 'KV cache: sliding windows', zh: 'KV 缓存：滑动窗口' },
  latent: { en: 'KV cache: latent rows (MLA)', zh: 'KV 缓存：潜在向量（MLA）' },
  'index-keys': { en: 'KV cache: index keys', zh: 'KV 缓存：索引键' },
  compressed: { en: 'KV cache: compressed rows', zh: 'KV 缓存：压缩行' },
  'compressed-index': { en: 'KV cache: compressed index keys', zh: 'KV 缓存：压缩索引键' },
  'compressed-window': { en: 'KV cache: windows of V4', zh: 'KV 缓存：V4 窗口' },
  state: { en: 'State of fixed size', zh: '固定大小的状态' },
}

function kvTerm(part: KvPart, stream: KvStream | undefined, { kvModel }: Subject, { wishes, placed }: Situation): PlanTerm {
  const elements = stream?.rows.join(' + ') ?? ''
  const isState = stream?.fixedBytes !== undefined
  const copies = placed.tensor > 1 && kvModel.isReplicated ? `; × ${placed.tensor} ranks, each holds all of it` : ''
  return {
    id: `kv-${part.stream}`,
    label: STREAM_LABELS[part.stream],
    formula: isState ? 'layers × state bytes × users' : `layers × cells × bytes(${elements || 'row'} elements, ${wishes.kv})`,
    numbers: `${part.layers} × ${grouped(part.cells)} × ${grouped(part.bytesPerCell)}${copies}`,
    value: part.bytes,
    unit: 'bytes',
    basis: 'formula',
    source: STREAM_SOURCES[part.stream],
  }
}

function computeTerm({ facts, kvModel, correction }: Subject, { computeBytes, computeBasis, wishes, placed }: Situation): PlanTerm {
  const label = { en: 'Compute buffer', zh: '计算缓冲' }
  if (wishes.engine !== 'llama') {
    const value = placed.devices.reduce((sum, device) => sum + device.parts.compute, 0)
    return {
      id: 'compute',
      label,
      formula: 'ranks × (8192 × 2 × (4 × hidden + (alive − 4 × hidden) / tp) + 256 × vocabulary × 4 / tp + CUDA graphs)',
      numbers: `${placed.devices.length} × ${grouped(placed.devices[0]?.parts.compute ?? 0)}`,
      value,
      unit: 'bytes',
      basis: 'estimate',
      source: 'vLLM max_num_batched_tokens 8192, max_num_seqs 256; graphs about 1 GB',
    }
  }
  if (computeBasis === 'measured')
    return {
      id: 'compute',
      label,
      formula: 'dry run',
      numbers: grouped(computeBytes),
      value: computeBytes,
      unit: 'bytes',
      basis: 'measured',
      source: "libllama's own reservation for this header and context",
    }
  const { vocabulary, hidden, alive } = computeRowOf(facts)
  const isPool = wishes.kvLayout === 'unified' && !kvModel.isPerSequence
  const cells = isPool ? wishes.context * wishes.users : wishes.context
  const outputs = outputsOf(wishes.kvLayout, wishes.users)
  const factor = correction?.compute === undefined ? '' : ` × ${correction.compute.toFixed(2)}`
  return {
    id: 'compute',
    label,
    formula: 'max(ubatch × (alive × 4 + cells × 2), outputs × vocabulary × 4 + 2 × ubatch × hidden × 4) + logits kept',
    numbers: `max(${MICRO_BATCH} × (${alive} × 4 + ${cells} × 2), ${outputs} × ${vocabulary} × 4 + 2 × ${MICRO_BATCH} × ${hidden} × 4)${factor}`,
    value: computeBytes,
    unit: 'bytes',
    basis: 'formula',
    source: 'fitted to dry runs of libllama v0.5.0 (src/planner/compute.ts), flash attention on',
  }
}

function overheadTerm({ facts }: Subject, { placed, wishes }: Situation): PlanTerm {
  const value = placed.devices.reduce((sum, device) => sum + device.parts.overhead, 0)
  const cards = placed.devices.filter((device) => device.kind === 'gpu').length
  const isLlama = wishes.engine === 'llama'
  const share = wishes.engine === 'llama' ? '' : `; of each card ${UTILISATION[wishes.engine] * 100} % is used`
  return {
    id: 'overhead',
    label: { en: 'Process and device contexts', zh: '进程与设备上下文' },
    formula: isLlama ? 'process + vocabulary × 512 + cards × context' : `cards × context${share}`,
    numbers: isLlama
      ? `${grouped(processBytes(facts.vocabulary))} + ${cards} × ${grouped(GPU_CONTEXT_BYTES)}`
      : `${cards} × ${grouped(GPU_CONTEXT_BYTES)}`,
    value,
    unit: 'bytes',
    basis: 'estimate',
    source: 'CUDA context 0.3 to 0.6 GB (shared facts models.md 7); process as seen here',
  }
}

const NUMBER_NAMES: Readonly<Record<DeviceNumber, string>> = { memory: 'memory', bandwidth: 'bandwidth', fp16: 'FP16', fp8: 'FP8' }

/** One for each kind of card: what the speed is computed from, and whether that was found in a public text. */
function cardTerms({ machine }: Subject): PlanTerm[] {
  const kinds = machine.gpus.filter((gpu, index, all) => all.findIndex((other) => other.name === gpu.name) === index)
  return kinds.map((gpu): PlanTerm => {
    const { name, memoryBytes, bandwidth, fp16, unconfirmed = [] } = gpu
    const said = unconfirmed.map((number) => NUMBER_NAMES[number]).join(', ')
    const doubt = said === '' ? '' : `; not confirmed: ${said}`
    return {
      id: 'card',
      label: { en: `Card: ${name}`, zh: `显卡：${name}` },
      formula: 'memory, bandwidth, FP16 dense',
      numbers: `${(memoryBytes / 2 ** 30).toFixed(1)} GiB, ${inUnits(bandwidth, 1e9)} GB/s, ${inUnits(fp16, 1e12)} TFLOP/s`,
      value: bandwidth ?? 0,
      unit: 'bytes/s',
      basis: 'estimate',
      source: gpu.source === undefined ? 'not in the table of cards' : `${gpu.source}${doubt}`,
    }
  })
}

function inUnits(value: number | undefined, unit: number): string {
  return value === undefined ? 'unknown' : grouped(value / unit)
}

function speedTerms(subject: Subject, { speed, placed, weights }: Situation): PlanTerm[] {
  if (!speed) return []
  const devices = placed.devices.filter((device) => device.readAlways > 0 || device.parts.experts > 0)
  const slowest = devices
    .map((device) => `${device.name} ${((device.bandwidth ?? 0) / 1e9).toFixed(0)} GB/s`)
    .filter((text, index, all) => all.indexOf(text) === index)
  const active = activeParameters(subject.facts, subject)
  return [
    {
      id: 'read-per-token',
      label: { en: 'Read for each token', zh: '每个 token 读取量' },
      formula: 'weights of every token + experts × k / E + cache of one user',
      numbers: `${grouped(Math.round(weights.total))} of weights, experts ${subject.facts.activeExperts} / ${subject.facts.experts}`,
      value: speed.readPerToken,
      unit: 'bytes/token',
      basis: 'formula',
      source: 'shared facts models.md 7.1; DeepSeek-V3 README (activated parameters)',
    },
    {
      id: 'decode',
      label: { en: 'Tokens/s of one user, at most', zh: '单用户生成速度上限' },
      formula: '1 / (Σ devices bytes / (bandwidth × efficiency) + layers × overhead)',
      numbers: `${grouped(Math.round(speed.readPerToken))} B over ${slowest.join(', ')}`,
      value: speed.decode.high,
      unit: 'tokens/s',
      basis: speed.isCorrected ? 'measured' : 'estimate',
      source: 'roofline; bandwidth from data sheets or measured here; engines reach 50 to 90 % of it',
    },
    {
      id: 'prefill',
      label: { en: 'Tokens/s of a prompt, at most', zh: '提示处理速度上限' },
      formula: 'FLOP/s × efficiency / (2 × activated parameters + attention)',
      numbers: `2 × ${grouped(active)} FLOP a token`,
      value: speed.prefill.high,
      unit: 'tokens/s',
      basis: speed.isCorrected ? 'measured' : 'estimate',
      source: 'roofline; arithmetic from data sheets; engines reach 25 to 60 % of it',
    },
  ]
}

/** For tests and pictures: what lies on all devices. */
export function deviceTotal({ placed }: Situation): number {
  return placed.devices.reduce((sum, device) => sum + usedBytes(device), 0)
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
