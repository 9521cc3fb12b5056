/**
 * Fair comparison: every server loaded and warmed up, then measured in turn, medians over the rounds.
 * A B C, C B A, …: that the machine slows down is then no fault of the last.
 */
import { setTimeout } from 'node:timers/promises'
import type { Row } from './report.ts'
import type { Server } from './servers.ts'
import { median } from './statistics.ts'

export interface Metric {
  what: string
  unit: string
  better: 'higher' | 'lower'
  target?: number
}

const SETTLE_MS = 1000

/** One number a metric. Round 0 is the warm-up; every round should use texts of its own. */
export type Measure<Name extends string> = (server: Server, round: number) => Promise<Record<Name, number>>

/** `servers[0]` is measured against the best of the others. */
export async function compare<Name extends string>(
  servers: readonly Server[],
  metrics: Record<Name, Metric>,
  rounds: number,
  measure: Measure<Name>,
): Promise<Row[]> {
  const results = new Map<string, Record<Name, number>[]>(servers.map((server) => [server.name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      // What the last one was still doing when its answers were cancelled must not be counted as this one's.
      await setTimeout(SETTLE_MS)
      const result = await measure(server, round)
      if (round > 0) results.get(server.name)?.push(result)
    }
  }
  return (Object.entries(metrics) as [Name, Metric][]).map(([name, metric]) => {
    const medians = servers.map((server): [string, number] => [
      server.name,
      median((results.get(server.name) ?? []).map((result) => result[name])),
    ])
    return compareMedians(metric, medians)
  })
}

/** The first is ours. Without others, the ratio is to itself. */
export function compareMedians(metric: Metric, medians: readonly (readonly [server: string, value: number])[]): Row {
  const [ours, ...others] = medians
  const best = others.toSorted((a, b) => (metric.better === 'higher' ? b[1] - a[1] : a[1] - b[1]))[0] ?? ours
  return {
    ...metric,
    values: Object.fromEntries(medians),
    ratio: (ours?.[1] ?? Number.NaN) / (best?.[1] ?? Number.NaN),
    against: best?.[0] ?? '',
  }
}
