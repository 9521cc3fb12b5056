/**
 * `tsx bench/kill-pull.ts [--kills 100] [--bytes 300e6] [--longest 4000]`: pulls from three hubs, one of which lies and one of which dies,
 * each in a process that gets kill -9 at a random moment of its first `longest` ms; then the hash is checked, and how many bytes came twice.
 * Needs the built dist (`npm run build`).
 *
 * `twice` is what the honest hubs have sent beyond the size of the files, whether it reached us or not: the bytes on their way when a
 * process died, and the samples that are compared. What the liar sent stands beside it: it is little while there is a third hub to ask, but
 * where the third is gone, or not known yet, before the two have been compared, nobody can say who is right, and its bytes are fetched anew.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { tinyModelBytes } from '../test/fakes/gguf-header.ts'
import { sha256Of, startHubServer } from '../test/fakes/hub-server.ts'
import type { HubServer } from '../test/fakes/hub-server.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    bytes: { type: 'string', default: '300e6' },
    longest: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
  },
})
const wantedKills = Number(values.kills)
const dist = fileURLToPath(new URL('../dist/', import.meta.url))
/** One slice of 16 kB a pause, for each connection: about 3 MB/s. */
const PAUSE_MS = 5
/** As `src/models/transfer/cross-check.ts` asks for. */
const SAMPLE_BYTES = 16 * 1024

interface Totals {
  pulls: number
  kills: number
  wrong: number
  publishedBytes: number
  sentBytes: number
  liarBytes: number
  /** Of the samples that compare the sources. */
  sampleBytes: number
}

if (!existsSync(path.join(dist, 'models/pull.js'))) throw new Error('dist/ is missing: npm run build')
const random = seeded(Number(values.seed))
const totals: Totals = { pulls: 0, kills: 0, wrong: 0, publishedBytes: 0, sentBytes: 0, liarBytes: 0, sampleBytes: 0 }
while (totals.kills < wantedKills) await onePull()
const twice = (totals.sentBytes - totals.liarBytes) / totals.publishedBytes - 1
const lostBytes = totals.sentBytes - totals.publishedBytes - totals.liarBytes - totals.sampleBytes
const row = {
  ...totals,
  lostBytes,
  lostBytesAKill: Math.round(lostBytes / totals.kills),
  twicePercent: Number((twice * 100).toFixed(2)),
  reached: totals.wrong === 0 && twice < 0.05,
}
process.stdout.write(
  `\n### kill-pull\n\n| pulls | kills | wrong | published | sent | by the liar | in samples | on the way when killed | twice | target |\n|${'---|'.repeat(10)}\n`,
)
process.stdout.write(
  `| ${row.pulls} | ${row.kills} | ${row.wrong} | ${mb(row.publishedBytes)} | ${mb(row.sentBytes)} | ${mb(row.liarBytes)} | ${mb(row.sampleBytes)} | ${mb(row.lostBytes)} | ${row.twicePercent} % | < 5 %, 0 wrong: ${row.reached ? 'reached' : 'MISSED'} |\n`,
)
process.stdout.write(`\n${JSON.stringify({ bench: 'kill-pull', ...row })}\n`)

/** One model, with kills until it is whole. */
async function onePull(): Promise<void> {
  const gguf = tinyModelBytes({ extraBytes: Number(values.bytes), seed: totals.pulls + 1 })
  const hubs = await Promise.all([startHubServer(), startHubServer(), startHubServer()])
  const roles = shuffled(['honest', 'liar', 'dying'] as const)
  const liar = hubs[roles.indexOf('liar')]
  const dying = hubs[roles.indexOf('dying')]
  for (const hub of hubs) await prepare(hub, gguf, hub === liar)
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-kill-'))
  const dieAfter = random() * gguf.length * 0.5
  const watch = setInterval(() => {
    if (dying && dying.sentBytes() > dieAfter / 3) void dying.close().catch(() => {})
  }, 20)
  try {
    const script = await writeScript(folder, hubs)
    while (!(await runOnce(script, totals.kills < wantedKills ? random() * Number(values.longest) : undefined))) totals.kills += 1
    const file = (await readFile(path.join(folder, 'done.txt'), 'utf8')).trim()
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
    totals.wrong += Number(sha256 !== sha256Of(gguf))
    totals.pulls += 1
    totals.publishedBytes += gguf.length
    totals.sentBytes += hubs.reduce((total, hub) => total + hub.sentBytes(), 0)
    totals.liarBytes += liar?.sentBytes() ?? 0
    totals.sampleBytes += hubs.reduce((total, hub) => total + (hub === liar ? 0 : sampleBytes(hub)), 0)
    process.stderr.write(
      `${totals.pulls} pulls, ${totals.kills} kills, ${(((totals.sentBytes - totals.liarBytes) / totals.publishedBytes - 1) * 100).toFixed(2)} % twice\n`,
    )
  } finally {
    clearInterval(watch)
    await Promise.all(hubs.map((hub) => hub.close().catch(() => {})))
    await rm(folder, { recursive: true, force: true })
  }
}

function sampleBytes(hub: HubServer): number {
  const lengthOf = (range: string): number => {
    const [start = 0, end = Number.POSITIVE_INFINITY] = (/^bytes=(\d+)-(\d+)$/.exec(range) ?? []).slice(1).map(Number)
    return end - start + 1
  }
  return hub.requests
    .filter(({ range }) => range !== undefined && lengthOf(range) <= SAMPLE_BYTES)
    .reduce((total, request) => total + request.sentBytes, 0)
}

async function prepare(hub: HubServer, gguf: Buffer, lies: boolean): Promise<void> {
  hub.repositories.set('org/repo', { files: { 'x-Q4_K_M.gguf': gguf } })
  const fault = lies ? ({ kind: 'corrupt', everyBytes: 4096, pauseMs: PAUSE_MS } as const) : ({ kind: 'slow', pauseMs: PAUSE_MS } as const)
  for (const address of [/^\/cdn/, /^\/api\/v1\/models\/org\/repo\/repo\?/]) hub.order(address, fault, 100_000)
  // Hashes what it publishes: later that would take it longer than a client waits for a second hub.
  await fetch(`${hub.origin}/api/models/org/repo?blobs=true`).then((response) => response.arrayBuffer())
}

async function writeScript(folder: string, hubs: readonly HubServer[]): Promise<string> {
  const module = (name: string): string => JSON.stringify(path.join(dist, name))
  const env = { hfEndpoint: hubs[0]?.origin, hfMirror: hubs[1]?.origin, modelscopeEndpoint: hubs[2]?.origin }
  const script = path.join(folder, 'pull.mjs')
  await writeFile(
    script,
    `import { openLibrary } from ${module('models/library.js')}
     import { pullModel } from ${module('models/pull.js')}
     import { parseReference } from ${module('models/reference.js')}
     import { silentLogger } from ${module('base/logger.js')}
     import { writeFileSync } from 'node:fs'
     const library = openLibrary(${JSON.stringify(path.join(folder, 'models'))})
     let told = false
     const onProgress = (progress) => { if (progress.state === 'downloading' && !told) { told = true; console.log('begun') } }
     const model = await pullModel(parseReference('hf:org/repo'), { library, env: ${JSON.stringify(env)}, logger: silentLogger, onProgress })
     writeFileSync(${JSON.stringify(path.join(folder, 'done.txt'))}, library.fileOf(model))`,
  )
  return script
}

/** True when it ended by itself. The clock of the kill starts with the download. */
function runOnce(script: string, killAfterMs: number | undefined): Promise<boolean> {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.once('data', () => {
    if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  })
  return new Promise((resolve, reject) => {
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(false)
      else if (code === 0) resolve(true)
      else reject(new Error(`the pull ended with ${code}`))
    })
  })
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

/** Mulberry32: the same kills again with the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
