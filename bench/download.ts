/**
 * `tsx bench/download.ts [--bytes 2e9] [--rounds 3] [--quick] [--folder DIR]`: our download against aria2c over loopback, each answer
 * 20 ms late and each connection at 50 MB/s. Ours verifies the sha256 too; aria2c does not. Files are written to memory
 * (/dev/shm) when it has room, so that the network is measured and not the disk. The last row is a pull through the real
 * server: how much more memory it takes meanwhile than when it was idle. Measures the built dist (`npm run build`):
 * from source each thread compiles itself first.
 */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import type * as HttpModule from '../src/base/http.ts'
import { silentLogger } from '../src/base/logger.ts'
import type * as DownloadModule from '../src/models/download.ts'
import { printReport } from './report.ts'
import type { Row } from './report.ts'

const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: '2e9' },
    rounds: { type: 'string', default: '3' },
    latency: { type: 'string', default: '20' },
    speed: { type: 'string', default: '50e6' },
    folder: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
})
const bytes = values.quick ? 100_000_000 : Number(values.bytes)
const rounds = values.quick ? 1 : Number(values.rounds)

const { createHttp } = (await fromDist('base/http.js')) as typeof HttpModule
const { downloadFile } = (await fromDist('models/download.js')) as typeof DownloadModule

interface FileServer {
  url: string
  sha256: string
  process: ChildProcess
}

const server = await startServer()
const folder = await mkdtemp(path.join(values.folder ?? (await roomyFolder()), 'bendi-bench-'))
try {
  printReport(
    'download',
    { bytes, latencyMs: Number(values.latency), bytesPerSecond: Number(values.speed), rounds, folder },
    await measureAll(),
    print,
  )
} finally {
  server.process.kill()
  await rm(folder, { recursive: true, force: true })
}

async function measureAll(): Promise<Row[]> {
  const aria = spawnSync('aria2c', ['--version']).status === 0
  if (!aria) print('aria2c is missing (apt-get install aria2): measuring bendi alone.')
  const speeds: Record<string, number[]> = { bendi: [], 'aria2c -x16': [], 'aria2c -x16 -s16 -k1M': [] }
  const memory: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const ours = await measureOurs()
    speeds['bendi']?.push(ours.bytesPerSecond)
    memory.push(ours.extraBytes)
    if (!aria) continue
    speeds['aria2c -x16']?.push(measureAria([]))
    speeds['aria2c -x16 -s16 -k1M']?.push(measureAria(['-s16', '-k1M']))
  }
  const medians = Object.fromEntries(
    Object.entries(speeds).flatMap(([name, list]) => (list.length > 0 ? [[name, median(list) / 1e6]] : [])),
  )
  const best = Math.max(...Object.entries(medians).flatMap(([name, value]) => (name === 'bendi' ? [] : [value])))
  const own = medians['bendi'] ?? Number.NaN
  return [
    {
      what: 'speed',
      unit: 'MB/s',
      better: 'higher',
      values: medians,
      ratio: aria ? own / best : 1,
      against: 'the better aria2c',
      ...(aria ? { target: 1 } : {}),
    },
    {
      what: 'memory above idle',
      unit: 'MB',
      better: 'lower',
      values: { bendi: median(memory) / 1e6 },
      ratio: median(memory) / 150e6,
      against: '150 MB',
      target: 1,
    },
    await measureGateway(),
  ]
}

async function measureOurs(): Promise<{ bytesPerSecond: number; extraBytes: number }> {
  const http = createHttp()
  const target = path.join(folder, 'ours.bin')
  globalThis.gc?.()
  const idle = process.memoryUsage().rss
  let most = idle
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20)
  const startedAt = performance.now()
  try {
    await downloadFile({ http, urls: [{ name: 'server', url: server.url }], target, bytes, sha256: server.sha256, logger: silentLogger })
    return { bytesPerSecond: (bytes * 1000) / (performance.now() - startedAt), extraBytes: most - idle }
  } finally {
    clearInterval(timer)
    await http.close()
    await rm(target, { force: true })
  }
}

/** `bin/bendi.js serve`, and a pull that is asked for over its API. */
async function measureGateway(): Promise<Row> {
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const home = path.join(folder, 'home')
  const env = { ...process.env, BENDI_HOME: home, HF_ENDPOINT: new URL(server.url).origin }
  const bin = fileURLToPath(new URL('../bin/bendi.js', import.meta.url))
  const gateway = spawn(process.execPath, [bin, 'serve', '--port', String(port)], { stdio: 'ignore', env })
  try {
    const base = `http://127.0.0.1:${port}`
    await until(() => fetch(`${base}/health`).then((response) => response.ok))
    await delay(2000)
    const idle = await residentBytes(gateway)
    const started = await askJson(`${base}/api/pulls`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reference: 'hf:bench/big' }),
    })
    let most = idle
    let pull = started
    await until(async () => {
      most = Math.max(most, await residentBytes(gateway))
      pull = (await askJson<Fields[]>(`${base}/api/pulls`)).find((item) => item['id'] === started['id']) ?? {}
      return ['done', 'failed', 'cancelled'].includes(String(pull['state']))
    })
    if (pull['state'] !== 'done') throw new Error(`the pull ended so: ${JSON.stringify(pull)}`)
    const extra = { bendi: (most - idle) / 1e6 }
    return {
      what: 'gateway above idle',
      unit: 'MB',
      better: 'lower',
      values: extra,
      ratio: (most - idle) / 150e6,
      against: '150 MB',
      target: 1,
    }
  } finally {
    gateway.kill()
    await rm(home, { recursive: true, force: true })
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 600_000; performance.now() < deadline; await delay(50)) {
    if (await isSo().catch(() => false)) return
  }
  throw new Error('it took too long')
}

type Fields = Record<string, unknown>

async function askJson<T = Fields>(url: string, init?: RequestInit): Promise<T> {
  return (await (await fetch(url, init)).json()) as T
}

/** What Linux says of a process. */
async function residentBytes({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

function measureAria(flags: readonly string[]): number {
  const startedAt = performance.now()
  const args = ['-q', '-x16', ...flags, '--file-allocation=none', '--allow-overwrite=true', '-d', folder, '-o', 'aria.bin', server.url]
  const { status, stderr } = spawnSync('aria2c', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`aria2c: ${stderr}`)
  return (bytes * 1000) / (performance.now() - startedAt)
}

function fromDist(name: string): Promise<unknown> {
  const file = new URL(`../dist/${name}`, import.meta.url)
  if (!existsSync(file)) throw new Error('dist/ is missing: npm run build')
  return import(file.href)
}

async function startServer(): Promise<FileServer> {
  const script = fileURLToPath(new URL('throttled-server.ts', import.meta.url))
  const args = ['--import', import.meta.resolve('tsx'), script, String(bytes), values.latency, String(Number(values.speed))]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const { port, sha256 } = JSON.parse(line) as { port: number; sha256: string }
    return { url: `http://127.0.0.1:${port}/file.bin`, sha256, process: child }
  }
  throw new Error('the file server did not start')
}

async function roomyFolder(): Promise<string> {
  const { bavail, bsize } = await statfs('/dev/shm').catch(() => ({ bavail: 0, bsize: 0 }))
  return bavail * bsize > 2.5 * bytes ? '/dev/shm' : os.tmpdir()
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
