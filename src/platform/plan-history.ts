/** What was planned and what came of it, for each real load here: a file below home, from which later plans are corrected. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../base/atomic-file.ts'
import type { Logger } from '../base/logger.ts'

const EntrySchema = z.object({
  /** The model's name, and the engine's. */
  model: z.string(),
  engine: z.string(),
  /** ms since 1970. */
  at: z.number(),
  predicted: z.object({ kv: z.number(), compute: z.number(), decode: z.number(), prefill: z.number() }),
  /** 0 = not measured yet. */
  actual: z.object({ kv: z.number(), compute: z.number(), decode: z.number(), prefill: z.number() }),
})
const FileSchema = z.object({ version: z.literal(1), loads: z.array(EntrySchema) })

export type PlanLoad = z.infer<typeof EntrySchema>
export type PlanMeasure = keyof PlanLoad['actual']

export interface PlanHistory {
  loads(): Promise<readonly PlanLoad[]>
  /** A load that became ready. */
  add(load: PlanLoad): Promise<void>
  /** A speed of the model's newest load, tokens/s. The best that was seen is kept: others may have been at work. */
  measured(model: string, speeds: { decode?: number; prefill?: number }): Promise<void>
  /** Work on the side that may fail unseen, and that `close` waits for. */
  track(task: Promise<void>): void
  /** Nothing is written afterwards. */
  close(): Promise<void>
}

/** Newest loads that are kept. */
const MOST_LOADS = 200

export function planHistory(home: string, logger: Logger): PlanHistory {
  const file = path.join(home, 'plan-history.json')
  let known: PlanLoad[] | undefined
  let writing: Promise<void> = Promise.resolve()
  const tasks = new Set<Promise<void>>()
  const loads = async (): Promise<PlanLoad[]> => (known ??= await readLoads(file))
  const save = (): Promise<void> => {
    const text = (): string => JSON.stringify({ version: 1, loads: known ?? [] })
    writing = writing
      .then(() => writeFileAtomic(file, text(), { mode: 0o600 }))
      .catch((error: unknown) => {
        logger.warn('the plan history could not be written', { file, error })
      })
    return writing
  }
  return {
    loads,
    add: async (load) => {
      known = [...(await loads()), load].slice(-MOST_LOADS)
      await save()
    },
    measured: async (model, speeds) => {
      const load = (await loads()).findLast((item) => item.model === model || model === 'default')
      if (!load) return
      const before = { ...load.actual }
      load.actual.decode = Math.max(load.actual.decode, speeds.decode ?? 0)
      load.actual.prefill = Math.max(load.actual.prefill, speeds.prefill ?? 0)
      if (before.decode !== load.actual.decode || before.prefill !== load.actual.prefill) await save()
    },
    track: (task) => {
      const tracked = task.catch(() => {}).finally(() => tasks.delete(tracked))
      tasks.add(tracked)
    },
    close: async () => {
      await Promise.all(tasks)
      await writing
    },
  }
}

/** A file that is not there, or damaged, is an empty history: plans are then what they were before. */
async function readLoads(file: string): Promise<PlanLoad[]> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return []
  try {
    return FileSchema.parse(JSON.parse(text)).loads
  } catch {
    return []
  }
}

export interface PlanCorrection {
  compute?: number
  decode?: number
  prefill?: number
  /** Loads that it is from. */
  samples: number
}

/** Middle of measured ÷ predicted, of the same model where it was loaded before, else of all. Undefined when nothing was measured. */
export function correctionOf(loads: readonly PlanLoad[], model: string): PlanCorrection | undefined {
  const own = loads.filter((load) => load.model === model)
  const used = own.length > 0 ? own : loads
  const factor = (measure: PlanMeasure): number | undefined => {
    const ratios = used
      .filter(({ predicted, actual }) => predicted[measure] > 0 && actual[measure] > 0)
      .map(({ predicted, actual }) => actual[measure] / predicted[measure])
      .toSorted((a, b) => a - b)
    return ratios[Math.floor(ratios.length / 2)]
  }
  const [compute, decode, prefill] = [factor('compute'), factor('decode'), factor('prefill')]
  if (compute === undefined && decode === undefined && prefill === undefined) return undefined
  return {
    samples: used.length,
    ...(compute === undefined ? {} : { compute: bounded(compute) }),
    ...(decode === undefined ? {} : { decode: bounded(decode) }),
    ...(prefill === undefined ? {} : { prefill: bounded(prefill) }),
  }
}

/** A factor beyond this says that something else was wrong that day. */
function bounded(factor: number): number {
  return Math.min(4, Math.max(0.1, factor))
}
