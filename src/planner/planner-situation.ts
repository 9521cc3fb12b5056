/** One model with one set of wishes on one machine: everything that can be computed of it. The report is made from several of these. */
import type { ModelHeader } from '../models/headers/model-header.ts'
import type { PlanEngine } from '../shared/plan.ts'
import { computeRowOf, llamaComputeBytes, outputsOf } from './compute.ts'
import { kvSize } from './kv-cache.ts'
import type { KvSize, KvType } from './kv-cache.ts'
import { kvModelOf } from './kv-streams.ts'
import type { KvModel } from './kv-streams.ts'
import type { Machine } from './machine.ts'
import { llamaPlacements, withoutCards } from './place-llama.ts'
import { MOST_SEQUENCES } from './overheads.ts'
import { parallelPlacements } from './place-parallel.ts'
import { usedBytes } from './placement.ts'
import type { Placed } from './placement.ts'
import { shapeFacts } from './shape-facts.ts'
import type { ShapeFacts } from './shape-facts.ts'
import { speedOf } from './speed.ts'
import type { Speed, SpeedCorrection } from './speed.ts'
import { weightsOf } from './weights.ts'
import type { ModelWeights } from './weights.ts'

export interface Wishes {
  /** Tokens of one user. */
  context: number
  users: number
  kv: KvType
  kvLayout: 'unified' | 'split'
  engine: PlanEngine
  quantization: string
  draft: boolean
}

/** What does not change with the wishes. */
export interface Subject {
  header: ModelHeader
  facts: ShapeFacts
  kvModel: KvModel
  machine: Machine
  /** Of the planned context, from libllama's own dry run; bytes. */
  measuredCompute?: number
  correction?: SpeedCorrection & { compute?: number }
}

export interface Situation {
  wishes: Wishes
  weights: ModelWeights
  kv: KvSize
  computeBytes: number
  computeBasis: 'measured' | 'formula'
  /** The best that fits, or else the nearest to it. */
  placed: Placed
  speed: Speed | undefined
}

export function subjectOf(header: ModelHeader, machine: Machine, known: Pick<Subject, 'measuredCompute' | 'correction'> = {}): Subject {
  return { header, facts: shapeFacts(header.shape), kvModel: kvModelOf(header.shape, header.mlaLayout), machine, ...known }
}

const weightsMemory = new WeakMap<ModelHeader, Map<string, ModelWeights>>()

/** Many situations ask for the same weights. */
export function subjectWeights({ header }: Subject, quantization: string): ModelWeights {
  const known = weightsMemory.get(header) ?? new Map<string, ModelWeights>()
  weightsMemory.set(header, known)
  const before = known.get(quantization)
  if (before) return before
  const weights = weightsOf(header, quantization)
  known.set(quantization, weights)
  return weights
}

export function situationOf(subject: Subject, wishes: Wishes): Situation {
  const { facts, kvModel, machine } = subject
  const weights = subjectWeights(subject, wishes.quantization)
  const kv = kvOf(subject, wishes)
  const { bytes: computeBytes, basis: computeBasis } = computeOf(subject, wishes)
  const input = { weights, kvBytes: kv.bytes, computeBytes, vocabulary: facts.vocabulary, machine, withDraft: wishes.draft }
  const engine = wishes.engine
  const parallel = engine === 'llama' ? [] : parallelPlacements(input, facts, kvModel, engine, wishes.users)
  const possible = parallel.length > 0 ? parallel : engine === 'llama' ? llamaPlacements(input) : [withoutCards(input)]
  const candidates = possible.map((placed) => ({ ...placed, fits: placed.fits && wishes.users <= MOST_SEQUENCES[engine] }))
  const rated = candidates.map((placed) => ({ placed, speed: placedSpeed(subject, wishes, placed) }))
  const best = rated.toSorted((a, b) => better(a, b))[0]
  if (!best) throw new Error('no placement was tried')
  return { wishes, weights, kv, computeBytes, computeBasis, placed: best.placed, speed: best.speed }
}

export function fits(subject: Subject, wishes: Wishes): boolean {
  return situationOf(subject, wishes).placed.fits
}

/** libllama keeps whole windows in the embedded engine (`swa_full`), so that prefixes can be shared. */
function kvOf({ kvModel }: Subject, { context, users, kv, kvLayout, engine }: Wishes): KvSize {
  const isLlama = engine === 'llama'
  return kvSize(kvModel, { context, users, type: kv, layout: kvLayout, allocation: isLlama ? 'llama' : 'paged', fullWindows: isLlama })
}

/** The dry run was of one context: what is asked beside it is scaled by the formula. */
function computeOf(subject: Subject, { context, users, kvLayout }: Wishes): { bytes: number; basis: Situation['computeBasis'] } {
  const cells = kvLayout === 'unified' && !subject.kvModel.isPerSequence ? context * users : context
  const bytes = llamaComputeBytes(computeRowOf(subject.facts), cells, outputsOf(kvLayout, users))
  if (subject.measuredCompute !== undefined) return { bytes: subject.measuredCompute, basis: 'measured' }
  return { bytes: Math.ceil(bytes * (subject.correction?.compute ?? 1)), basis: 'formula' }
}

function placedSpeed(subject: Subject, { context, users, kv }: Wishes, placed: Placed): Speed | undefined {
  const { facts, kvModel, correction } = subject
  return speedOf({
    placed,
    facts,
    kv: kvModel,
    kvType: kv,
    context,
    users,
    activeParameters: activeParameters(facts, subject),
    ...(correction ? { correction } : {}),
  })
}

/** Of the main model, for one token; embeddings are looked up, not computed. */
export function activeParameters(
  { experts, activeExperts, layers, denseLayers, expertWidth, hidden, vocabulary, isTied }: ShapeFacts,
  subject: Subject,
): number {
  const { parameters } = subjectWeights(subject, subject.header.quantization)
  const unused = experts > 0 ? (layers - denseLayers) * (experts - activeExperts) * 3 * expertWidth * hidden : 0
  return Math.max(0, parameters - unused - (isTied ? 0 : vocabulary * hidden))
}

interface Rated {
  placed: Placed
  speed: Speed | undefined
}

/** What fits goes first, then what is faster; of what does not fit, that which lacks least. */
function better(a: Rated, b: Rated): number {
  if (a.placed.fits !== b.placed.fits) return a.placed.fits ? -1 : 1
  if (!a.placed.fits) return missingBytes(a.placed) - missingBytes(b.placed)
  return (b.speed?.decodeAll.high ?? 0) - (a.speed?.decodeAll.high ?? 0)
}

export function missingBytes({ devices }: Placed): number {
  return devices.reduce((sum, device) => sum + Math.max(0, usedBytes(device) - device.usable), 0)
}
