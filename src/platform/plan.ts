/** The use case `plan`: what a model would need here or on a described machine, before anything is downloaded. */
import { findModel } from '../models/catalogue/search.ts'
import { planReference } from '../planner/plan-reference.ts'
import type { PlanKnowledge } from '../planner/plan-reference.ts'
import type { Hardware } from '../shared/api.ts'
import type { Localized } from '../shared/language.ts'
import type { PlanReport, PlanRequest, RecommendReport, RecommendRequest } from '../shared/plan.ts'
import type { MeasureCompute } from './plan-dry-run.ts'
import { otherMeaning } from './plan-header.ts'
import type { ReadHeader } from './plan-header.ts'
import { correctionOf } from './plan-history.ts'
import type { PlanCorrection, PlanHistory } from './plan-history.ts'
import { recommendHere } from './recommend.ts'

export interface Planning {
  /** Throws `invalid-field`, and why the header could not be read. */
  plan(request: PlanRequest, signal?: AbortSignal): Promise<PlanReport>
  recommend(request: RecommendRequest): Promise<RecommendReport>
}

export interface PlanningOptions {
  probe(): Promise<Hardware>
  /** … with its memory bandwidth measured; absent: as probed. */
  measured?(): Promise<Hardware>
  readHeader: ReadHeader
  /** Absent: compute buffers go by the formula. */
  measureCompute?: MeasureCompute
  history?: PlanHistory
}

export function createPlanning({ probe, measured = probe, readHeader, measureCompute, history }: PlanningOptions): Planning {
  // A machine that is only described needs nothing of this one measured.
  const hardwareFor = ({ gpu, ram }: Pick<PlanRequest, 'gpu' | 'ram'>): Promise<Hardware> =>
    gpu === undefined && ram === undefined ? measured() : probe()
  return {
    plan: async (request, signal) => {
      const [hardware, header] = await Promise.all([hardwareFor(request), readHeader(request.model, request.quant, signal)])
      // What was measured here says nothing of a machine that is only described.
      const isHere = request.gpu === undefined && request.ram === undefined
      const correction = isHere && history ? correctionOf(await history.loads(), request.model) : undefined
      const known = { ...knowledgeOf(correction, nameNotes(request.model)), ...repositoryPart(request.model) }
      const { wishes } = planReference(header, hardware, request, known)
      const measuredCompute = await measureCompute?.(header, wishes, signal)
      const notes = [...supportNotes(request.model, wishes.engine), ...(known.notes ?? [])]
      return planReference(header, hardware, request, { ...known, notes, ...(measuredCompute === undefined ? {} : { measuredCompute }) })
    },
    recommend: async (request) => recommendHere(request, await hardwareFor(request)),
  }
}

function knowledgeOf(correction: PlanCorrection | undefined, notes: readonly Localized[]): PlanKnowledge {
  if (!correction) return { notes }
  const { samples, ...factors } = correction
  return { correction: factors, notes: [...notes, correctionNote(samples, factors)] }
}

function repositoryPart(model: string): Pick<PlanKnowledge, 'repository'> {
  const known = findModel(model)
  return known ? { repository: `${known.owner}/${known.id}` } : {}
}

/** Room alone does not run a model. */
function supportNotes(model: string, engine: PlanReport['wishes']['engine']): Localized[] {
  const known = engine === 'llama' ? findModel(model) : undefined
  if (!known || known.llamaCpp.support === 'yes' || known.llamaCpp.support === 'partly') return []
  return [
    {
      en: `llama.cpp, and so the embedded engine, does not run ${known.id} (state: November 2026): the memory is right, but it needs another engine (bendi models ${known.id}).`,
      zh: `llama.cpp 及内置引擎尚不支持 ${known.id}（截至 2026 年 11 月）：内存数字有效，但须使用其他引擎（bendi models ${known.id}）。`,
    },
  ]
}

function nameNotes(model: string): Localized[] {
  const other = otherMeaning(model)
  if (!other) return []
  return [
    {
      en: `As a short name this is ${other.short}; the model of that name is planned by: bendi plan ${other.own}`,
      zh: `作为短名称它指 ${other.short}；要规划同名模型请用：bendi plan ${other.own}`,
    },
  ]
}

function correctionNote(samples: number, factors: Omit<PlanCorrection, 'samples'>): Localized {
  const list = Object.entries(factors).map(([name, factor]) => `${name} × ${factor.toFixed(2)}`)
  return {
    en: `Corrected by ${samples} ${samples === 1 ? 'load' : 'loads'} on this machine: ${list.join(', ')}.`,
    zh: `已按本机 ${samples} 次实际加载修正：${list.join('，')}。`,
  }
}
