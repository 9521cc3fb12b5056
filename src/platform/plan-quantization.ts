/**
 * Which quantisation of a model suits a machine: each is planned, and the best of those that fit and answer at a sane speed is taken. Pure.
 * Quality goes by bits per weight, which the length of the files tells for every way of quantising, also those without a name in any table.
 */
import type { ModelHeader } from '../models/headers/model-header.ts'
import { plannedMachine } from '../planner/plan-reference.ts'
import { situationOf, subjectOf } from '../planner/planner-situation.ts'
import type { Situation, Subject } from '../planner/planner-situation.ts'
import { totalBytes } from '../planner/suggestions.ts'
import { wishesOf } from '../planner/wishes.ts'
import type { Hardware } from '../shared/api.ts'
import type { PlanRequest } from '../shared/plan.ts'

export interface QuantizationOption {
  /** As its files are named. */
  name: string
  /** Of its files. */
  bytes: number
}

export interface RatedQuantization extends QuantizationOption {
  verdict: 'good' | 'slow' | 'too-large'
  /** Weights, cache, compute and overhead, bytes. */
  total: number
  /** Tokens/s of one user, in the middle of the range; absent when it cannot be told. */
  speed?: number
  /** Greater is better, within a verdict. */
  score: number
}

export type QuantizationWishes = Pick<PlanRequest, 'context' | 'users' | 'kv'>

export interface QuantizationKnowledge {
  /** Measured ÷ predicted, of earlier loads here. */
  correction?: NonNullable<Subject['correction']>
  /** Writes thoughts before each answer, so that it must be faster. */
  thinks?: boolean
}

/** Less is no pleasure to read, tokens/s; below the least nobody waits for it. */
const LEAST_SPEED = 2
const PLEASANT_SPEED = { answer: 8, thought: 20 }
/** What a halving of the speed below the pleasant one counts, in the units of `LOSS`. */
const SLOWNESS = 2.2
/** … a doubling above it, three times at most: enough to stay on a card instead of half beside it, too little to give up real quality. */
const QUICKNESS = 0.15
const MOST_DOUBLINGS = 3
/** Bits per weight and what is lost there (llama.cpp's perplexity tables); between them in a straight line. More bits change nothing. */
const LOSS: readonly (readonly [bits: number, loss: number])[] = [
  [1.5, 16],
  [2.1, 9],
  [2.7, 5],
  [3.1, 3],
  [3.9, 2],
  [4.3, 1.4],
  [4.85, 0.8],
  [5.7, 0.4],
  [6.6, 0.2],
  [8.5, 0.1],
]

/**
 * `header` is of any one of them, whose files have `headerBytes`: the others have the same tensors, scaled to the length of their files.
 * Best first; of equals the smallest.
 */
export function rateQuantizations(
  options: readonly QuantizationOption[],
  { header, headerBytes }: { header: ModelHeader; headerBytes: number },
  hardware: Hardware,
  wishes: QuantizationWishes,
  known: QuantizationKnowledge = {},
): RatedQuantization[] {
  const machine = plannedMachine(hardware, {})
  const rated = options.map((option): RatedQuantization => {
    const scaled = scaledHeader(header, option, option.bytes / headerBytes)
    const subject = subjectOf(scaled, machine, known.correction ? { correction: known.correction } : {})
    return rate(option, subject, wishes, known)
  })
  const order = { good: 0, slow: 1, 'too-large': 2 }
  return rated.toSorted((a, b) => order[a.verdict] - order[b.verdict] || b.score - a.score || a.bytes - b.bytes)
}

function scaledHeader(header: ModelHeader, { name }: QuantizationOption, factor: number): ModelHeader {
  const tensors = header.tensors?.map((tensor) => ({ ...tensor, bytes: Math.round(tensor.bytes * factor) }))
  return { ...header, quantization: name, ...(tensors ? { tensors } : {}) }
}

function rate(
  option: QuantizationOption,
  subject: Subject,
  wishes: QuantizationWishes,
  { thinks }: QuantizationKnowledge,
): RatedQuantization {
  const situation = situationWithSmallCache(subject, wishes)
  const speed = middleSpeed(situation)
  const pleasant = thinks === true ? PLEASANT_SPEED.thought : PLEASANT_SPEED.answer
  const isSlow = speed !== undefined && speed < LEAST_SPEED
  return {
    ...option,
    verdict: situation.placed.fits ? (isSlow ? 'slow' : 'good') : 'too-large',
    total: totalBytes(situation),
    ...(speed === undefined ? {} : { speed }),
    score: speedWorth(speed === undefined ? 0 : Math.log2(speed / pleasant)) - lossOf(option, situation.weights.parameters),
  }
}

/** `doublings` of the pleasant speed. */
function speedWorth(doublings: number): number {
  return doublings < 0 ? SLOWNESS * doublings : QUICKNESS * Math.min(MOST_DOUBLINGS, doublings)
}

/** As when it is loaded: a cache of eight bits when one of sixteen does not fit, unless the type was wished. */
function situationWithSmallCache(subject: Subject, wishes: QuantizationWishes): Situation {
  const planned = wishesOf({ ...wishes, engine: 'llama' }, subject.header, subject.machine)
  const first = situationOf(subject, planned)
  if (first.placed.fits || wishes.kv !== undefined) return first
  const second = situationOf(subject, { ...planned, kv: 'q8_0' })
  return second.placed.fits ? second : first
}

function middleSpeed({ speed }: Situation): number | undefined {
  return speed && Math.sqrt(speed.decode.low * speed.decode.high)
}

function lossOf({ name, bytes }: QuantizationOption, parameters: number): number {
  const bits = parameters > 0 ? (8 * bytes) / parameters : 0
  return lossAt(bits + bitsWorth(name, bits))
}

/** The old types waste bits; those with a codebook, and mixtures that were chosen by layer, use theirs better where there are few. */
function bitsWorth(name: string, bits: number): number {
  if (/^Q[45]_[01]$/.test(name)) return -0.4
  return bits < 4.2 && /^(UD-|IQ)/.test(name) ? 0.4 : 0
}

function lossAt(bits: number): number {
  const above = LOSS.findIndex(([at]) => bits <= at)
  const [high, low] = [LOSS[above], LOSS[above - 1]]
  if (high === undefined) return LOSS.at(-1)?.[1] ?? 0
  if (low === undefined) return high[1]
  return low[1] + ((bits - low[0]) / (high[0] - low[0])) * (high[1] - low[1])
}
