/**
 * `tsx bench/plan-remote.ts [--latency 20] [--rounds 3]`: what it costs to know a model of 671B parameters in 48 files before its download,
 * from a hub on loopback that answers each request after so many ms. Prints one table and one JSON line.
 */
import { parseArgs } from 'node:util'
import { runCommand } from '../src/base/child-process.ts'
import { createHttp } from '../src/base/http.ts'
import { silentLogger } from '../src/base/logger.ts'
import { readModelHeader } from '../src/models/headers/read-model-header.ts'
import { parseReference } from '../src/models/reference.ts'
import { startSparseHub } from '../test/fakes/sparse-hub.ts'
import { largeGguf, largeSafetensors } from '../test/fixtures/large-models.ts'

const { values } = parseArgs({ options: { latency: { type: 'string', default: '20' }, rounds: { type: 'string', default: '3' } } })
const MODELS = [
  { name: 'safetensors, FP8, 48 files', reference: 'hf:org/large', files: largeSafetensors },
  { name: 'GGUF, Q8_0, 48 files', reference: 'hf:org/large-GGUF:Q8_0', files: largeGguf },
] as const

interface Row {
  model: string
  seconds: number
  megabytes: number
  requests: number
}

const rows: Row[] = []
for (const model of MODELS) rows.push(await measure(model))
print('model                        seconds   MB read  requests')
for (const { model, seconds, megabytes, requests } of rows) {
  print(`${model.padEnd(28)} ${seconds.toFixed(2).padStart(7)} ${megabytes.toFixed(1).padStart(9)} ${String(requests).padStart(9)}`)
}
print(JSON.stringify({ bench: 'plan-remote', latencyMs: Number(values.latency), rounds: Number(values.rounds), rows }))

/** The best of the rounds, each with connections of its own. */
async function measure({ name, reference, files }: (typeof MODELS)[number]): Promise<Row> {
  const hub = await startSparseHub()
  hub.repositories.set(reference.slice(3).split(':')[0] ?? '', files())
  hub.latencyMs = Number(values.latency)
  const seconds: number[] = []
  try {
    for (let round = 0; round < Number(values.rounds); round += 1) {
      hub.requests.length = 0
      const http = createHttp()
      const start = performance.now()
      await readModelHeader(parseReference(reference), {
        context: { env: { hfEndpoint: hub.origin }, http, run: runCommand, logger: silentLogger },
      })
      seconds.push((performance.now() - start) / 1000)
      await http.close()
    }
    const sent = hub.requests.reduce((total, request) => total + request.sentBytes, 0)
    return { model: name, seconds: Math.min(...seconds), megabytes: sent / 1e6, requests: hub.requests.length }
  } finally {
    await hub.close()
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
