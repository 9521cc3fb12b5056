/** `npm run bench`: each benchmark prints one table and one JSON line. */
import os from 'node:os'
import { parseArgs } from 'node:util'
import type { Bench, BenchContext } from './bench.ts'
import { burst } from './burst.ts'
import { constraint } from './constraint.ts'
import { decode16, decode8, decode8Long } from './decode-many.ts'
import { decodeOne } from './decode-one.ts'
import { BENCH_MODELS, type BenchModelName, benchModel } from './models.ts'
import { overhead } from './overhead.ts'
import { prefill } from './prefill.ts'
import { printReport } from './report.ts'
import { restart } from './restart.ts'
import { findPeer } from './servers.ts'
import { speculation } from './speculation.ts'
import { stall } from './stall.ts'

const benches: readonly Bench[] = [
  decodeOne,
  prefill,
  decode8,
  decode16,
  decode8Long,
  burst,
  stall,
  restart,
  speculation,
  constraint,
  overhead,
]

const USAGE = `npm run bench [-- NAME…] [-- options]
  --model r1-1.5b|smollm2|all   --rounds 3   --threads N   --quick   --peer FOLDER (of llama-server)   --list`

const { values, positionals } = parseArguments()

// An exit, so that the servers are ended too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

if (values.help) print(USAGE)
else if (values.list) print(benches.map((bench) => bench.name).join('\n'))
else await runAll()

/** Ends the process with status 2 where they say nothing that can be measured. */
function parseArguments() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        model: { type: 'string', default: 'all' },
        rounds: { type: 'string', default: '3' },
        threads: { type: 'string', default: String(os.availableParallelism()) },
        peer: { type: 'string' },
        quick: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const { model, rounds, threads } = parsed.values
    const unknown = parsed.positionals.filter((name) => !benches.some((bench) => bench.name === name))
    if (unknown.length > 0) throw new Error(`there is no benchmark ${unknown.join(', ')}; see --list`)
    if (![...BENCH_MODELS, 'all'].includes(model)) throw new Error(`--model is ${[...BENCH_MODELS, 'all'].join(', ')}, not ${model}`)
    for (const [name, value] of Object.entries({ rounds, threads }))
      if (!/^[1-9]\d*$/.test(value)) throw new Error(`--${name} is a number from 1 on, not ${value}`)
    return parsed
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`)
    process.exit(2)
  }
}

async function runAll(): Promise<void> {
  const peer = findPeer(values.peer)
  if (!peer) print('No llama-server found (--peer, BENDI_PEER_BIN): measuring bendi alone.')
  for (const model of BENCH_MODELS.filter((name) => values.model === 'all' || values.model === name)) await runModel(model, peer)
}

async function runModel(model: BenchModelName, peer: string | undefined): Promise<void> {
  const file = await benchModel(model, { peer, generator: process.env['BENDI_MAKE_GGUF'] })
  const context: BenchContext = {
    model,
    file,
    peer,
    print,
    quick: values.quick,
    rounds: Number(values.rounds),
    threads: Number(values.threads),
  }
  const wanted = benches.filter((bench) => positionals.length === 0 || positionals.includes(bench.name))
  for (const bench of wanted.filter(({ models }) => !models || models.includes(model))) {
    const rows = await bench.run(context)
    const setting = {
      model,
      threads: context.threads,
      rounds: context.rounds,
      cpu: os.cpus()[0]?.model ?? 'unknown',
      ...(values.quick ? { quick: 'yes' } : {}),
    }
    printReport(bench.name, setting, rows, print)
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
