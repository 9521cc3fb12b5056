/** What every benchmark is given, and what it is. */
import { compare, type Measure, type Metric } from './compare.ts'
import type { BenchModelName } from './models.ts'
import type { Row } from './report.ts'
import { type BendiSettings, type Server, type ServerSettings, startBendi, startPeer } from './servers.ts'

export interface BenchContext {
  model: BenchModelName
  file: string
  rounds: number
  threads: number
  /** Small numbers that only show that everything works. */
  quick: boolean
  /** Folder of llama-server; without it only bendi is measured. */
  peer: string | undefined
  print(line: string): void
}

export interface Bench {
  name: string
  /** Absent = all. */
  models?: readonly BenchModelName[]
  run(context: BenchContext): Promise<Row[]>
}

/** Starts bendi and both settings of the peer, compares, and stops them whatever happens. */
export async function againstPeer<Name extends string>(
  context: BenchContext,
  sizes: { parallel: number; context: number; flags?: readonly string[] },
  metrics: Record<Name, Metric>,
  measure: Measure<Name>,
): Promise<Row[]> {
  const settings = { file: context.file, threads: context.threads, ...sizes }
  return withServers([() => startBendi(settings), ...peers(context, settings)], (servers) =>
    compare(servers, metrics, context.rounds, measure),
  )
}

function peers({ peer }: BenchContext, settings: ServerSettings): (() => Promise<Server>)[] {
  if (peer === undefined) return []
  return [false, true].map((unified) => () => startPeer(peer, unified, settings))
}

/** Two settings of our own against each other: the first is measured against the second. */
export async function againstOurselves<Name extends string>(
  context: BenchContext,
  settings: readonly Omit<BendiSettings, 'file' | 'threads'>[],
  metrics: Record<Name, Metric>,
  measure: Measure<Name>,
): Promise<Row[]> {
  const { file, threads, rounds } = context
  return withServers(
    settings.map((setting) => () => startBendi({ ...setting, file, threads })),
    (servers) => compare(servers, metrics, rounds, measure),
  )
}

async function withServers<T>(starts: readonly (() => Promise<Server>)[], use: (servers: Server[]) => Promise<T>): Promise<T> {
  const servers: Server[] = []
  try {
    for (const start of starts) servers.push(await start())
    return await use(servers)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}
