/**
 * Which models serve a purpose best on a machine: each candidate is planned in the quantisations that make sense, and the best that fits counts.
 * Quality is a proxy from what is public and checkable: size (of experts the geometric mean of all and activated parameters), age, purpose,
 * languages; less what quantisation loses and what waiting costs. It is no benchmark, and every reason is told.
 */
import { formatBytes } from '../base/bytes.ts'
import type { ModelHeader } from '../models/headers/model-header.ts'
import type { Localized } from '../shared/language.ts'
import type { PlanTask, Recommendation } from '../shared/plan.ts'
import { runsFormat, servesFolders } from './card-formats.ts'
import { largestContext } from './limits.ts'
import type { Machine } from './machine.ts'
import { isDriven } from './place-llama.ts'
import { placementText } from './plan-notes.ts'
import { activeParameters, situationOf, subjectOf, subjectWeights } from './planner-situation.ts'
import type { Situation, Subject, Wishes } from './planner-situation.ts'
import { totalBytes } from './suggestions.ts'
import { usualKv } from './wishes.ts'

export interface Candidate {
  repository: string
  header: ModelHeader
  /** `2025-01-20`. */
  released: string
  tasks: readonly string[]
  thinks: 'always' | 'optional' | 'never'
  /** Speaks Chinese as well as English. */
  isChinese: boolean
  isOpenLicense: boolean
  runsInLlama: boolean
  /** What `bendi pull` takes for it. */
  pullAs(quantization: string, engine: string): string | undefined
}

export interface Need {
  task: PlanTask
  users: number
  context: number
  languages: readonly string[]
  /** ms since 1970: how old a release is. */
  now: number
}

/** Less is no pleasure to read, tokens/s of one user; thoughts are long. */
const LEAST_SPEED = 2
const PLEASANT_SPEED = { answer: 8, thought: 20 }
/** What a halving of the speed below the pleasant one counts, in the units of `qualityOf` … */
const SLOWNESS = 2.2
/** … and a doubling above it, three times at most: of two that are about as good, the one that answers at once is the better. */
const QUICKNESS = 1
const MOST_DOUBLINGS = 3
/** By quantisation, in the units of `qualityOf`. */
const LOSS: readonly (readonly [string, number])[] = [
  ['Q8_0', 0.1],
  ['Q6_K', 0.2],
  ['Q5_K_M', 0.4],
  ['Q4_K_M', 0.8],
  ['IQ4_XS', 1.4],
  ['Q3_K_M', 2],
  ['IQ3_XXS', 3],
  ['Q2_K', 5],
]
const NATIVE: readonly (readonly [string, number])[] = [['MXFP4', 0.1]]
const FOLDERS: readonly (readonly [string, number])[] = [
  ['FP8', 0.1],
  ['INT8', 0.3],
  ['BF16', 0],
  ['AWQ', 0.9],
]

/** Best first. */
export function recommend(candidates: readonly Candidate[], machine: Machine, need: Need): Recommendation[] {
  const found = candidates
    .filter((candidate) => candidate.tasks.includes(need.task))
    .flatMap((candidate) => bestOf(candidate, machine, need))
  return found.toSorted((a, b) => b.score - a.score)
}

function bestOf(candidate: Candidate, machine: Machine, need: Need): Recommendation[] {
  if (candidate.header.trainedContext > 0 && candidate.header.trainedContext < need.context) return []
  const subject = subjectOf(candidate.header, machine)
  if (isTooLarge(subject, machine)) return []
  const rated = optionsOf(candidate, machine, need).flatMap(([wishes, loss]) => {
    const situation = situationOf(subject, wishes)
    if (!situation.placed.fits || speedOfOne(situation, need) < LEAST_SPEED) return []
    return [{ situation, score: scoreOf(candidate, subject, situation, need, loss) }]
  })
  const best = rated.toSorted((a, b) => b.score - a.score)[0]
  return best ? [recommendationOf(candidate, subject, best.situation, best.score, need)] : []
}

/** Not even two bits a weight have room: most large models, which need no further look. */
function isTooLarge(subject: Subject, machine: Machine): boolean {
  const room = machine.memory.freeBytes + machine.gpus.reduce((sum, gpu) => sum + gpu.freeBytes, 0)
  return subjectWeights(subject, subject.header.quantization).parameters * 0.25 > room
}

function optionsOf(candidate: Candidate, machine: Machine, need: Need): (readonly [Wishes, number])[] {
  const base = { context: need.context, users: need.users, kvLayout: 'split' as const, draft: false }
  const { header, runsInLlama } = candidate
  const cards = machine.gpus.filter((gpu) => !gpu.isUnified && gpu.vendor !== 'apple')
  const drives = machine.gpus.length === 0 || machine.gpus.some(isDriven)
  const serves = cards.length > 0 && cards.every(servesFolders)
  const llama = runsInLlama && (drives || !serves) ? (header.quantization.includes('FP4') ? NATIVE : LOSS) : []
  // Several cards and users are what vLLM is for; one card is served better here.
  const folders = serves && (cards.length > 1 || !drives) ? foldersOf(header, machine) : []
  return [
    ...llama.flatMap(([quantization, loss]) =>
      (['f16', 'q8_0'] as const).map(
        (type, index) => [{ ...base, engine: 'llama' as const, kv: type, quantization }, loss + index * 0.2] as const,
      ),
    ),
    ...folders.map(
      ([quantization, loss]) => [{ ...base, engine: 'vllm' as const, kv: usualKv(header, 'vllm', machine), quantization }, loss] as const,
    ),
  ]
}

/** What these cards have kernels for. Weights that were published in 8 or 4 bits gain nothing in more: a copy is only for cards that need it. */
function foldersOf({ quantization }: ModelHeader, { gpus }: Machine): typeof FOLDERS {
  const runs = FOLDERS.filter(([name]) => runsFormat(gpus, name))
  if (!/FP[48]/.test(quantization)) return runs
  return runsFormat(gpus, quantization) ? [[quantization, 0]] : runs.filter(([name]) => name === 'INT8' || name === 'BF16')
}

function scoreOf(candidate: Candidate, subject: Subject, situation: Situation, need: Need, loss: number): number {
  const doublings = Math.log2(speedOfOne(situation, need) / pleasantSpeed(candidate))
  const worth = doublings < 0 ? SLOWNESS * doublings : QUICKNESS * Math.min(MOST_DOUBLINGS, doublings)
  return qualityOf(candidate, subject, need) - loss + worth
}

/** Tokens/s that each of all users sees at once, in the middle of the range. */
function speedOfOne({ speed }: Situation, { users }: Need): number {
  return speed ? Math.sqrt(speed.decodeAll.low * speed.decodeAll.high) / users : 0
}

/** Who always thinks, writes much before the answer comes. */
function pleasantSpeed({ thinks }: Candidate): number {
  return thinks === 'always' ? PLEASANT_SPEED.thought : PLEASANT_SPEED.answer
}

/** Doubling the parameters counts 2.5, a year of progress 4. */
function qualityOf(candidate: Candidate, subject: Subject, { task, languages, now }: Need): number {
  const { parameters } = subjectWeights(subject, subject.header.quantization)
  const effective = Math.sqrt(parameters * Math.max(1, activeParameters(subject.facts, subject)))
  const years = Math.max(0, now - Date.parse(candidate.released)) / (365.25 * 86_400_000)
  const wantsThought = task === 'math' || task === 'reasoning'
  const fit = candidate.thinks === 'optional' || wantsThought === (candidate.thinks === 'always') ? 1.5 : wantsThought ? -3 : 0
  const language = languages.includes('zh') && !candidate.isChinese ? -4 : 0
  return 2.5 * Math.log2(Math.max(1e6, effective) / 1e9) - 4 * years + fit + language + (candidate.isOpenLicense ? 0.3 : 0)
}

function recommendationOf(candidate: Candidate, subject: Subject, situation: Situation, score: number, need: Need): Recommendation {
  const { wishes, weights, placed, speed } = situation
  const pull = candidate.pullAs(wishes.quantization, wishes.engine)
  return {
    repository: candidate.repository,
    title: candidate.header.title ?? candidate.repository,
    ...(pull === undefined ? {} : { pull }),
    quantization: wishes.quantization,
    kv: wishes.kv,
    total: totalBytes(situation),
    download: weights.total,
    placement: placed.name,
    ...(speed ? { speed: speed.decode } : {}),
    largestContext: largestContext(subject, wishes),
    score,
    reasons: reasonsOf(candidate, subject, situation, need),
  }
}

function reasonsOf(candidate: Candidate, subject: Subject, situation: Situation, need: Need): Localized[] {
  const { weights, placed } = situation
  const active = activeParameters(subject.facts, subject)
  const billions = (count: number): string => `${(count / 1e9).toFixed(count < 1e10 ? 1 : 0)}B`
  const size = billions(weights.parameters)
  const text = placementText(placed)
  const slow = speedOfOne(situation, need) < pleasantSpeed(candidate)
  return [
    active < weights.parameters / 2
      ? {
          en: `${size} parameters, ${billions(active)} of them for each token: as good as a large model, as fast as a small one`,
          zh: `${size} 参数，每个 token 只用 ${billions(active)}：效果接近大模型，速度接近小模型`,
        }
      : { en: `${size} parameters`, zh: `${size} 参数` },
    { en: `${text.en}; ${formatBytes(totalBytes(situation))} in all`, zh: `${text.zh}；共 ${formatBytes(totalBytes(situation))}` },
    ...(candidate.thinks !== 'never' && (need.task === 'math' || need.task === 'reasoning')
      ? [{ en: 'thinks before it answers', zh: '先思考再回答' }]
      : []),
    ...(need.languages.includes('zh') && !candidate.isChinese ? [{ en: 'weak in Chinese', zh: '中文较弱' }] : []),
    ...(slow ? [{ en: 'slow here', zh: '在本机较慢' }] : []),
    ...(candidate.isOpenLicense ? [] : [{ en: 'its licence has conditions', zh: '许可有附加条件' }]),
    { en: `released ${candidate.released}`, zh: `发布于 ${candidate.released}` },
  ]
}
