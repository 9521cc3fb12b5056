/**
 * `tsx bench/gateway.ts [--streams 1000] [--quick]`: what the gateway adds around an engine that costs nothing, with many streams open.
 * The clients are raw sockets in this process; the baseline of the latency is a bare node:http server in a process of its own.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { compiledBench } from './compile.ts'
import { printReport, type Row } from './report.ts'
import { median } from './statistics.ts'

const { values } = parseArgs({ options: { streams: { type: 'string', default: '1000' }, quick: { type: 'boolean', default: false } } })
const STREAMS = Number(values.streams)
const QUESTIONS = values.quick ? 200 : 2000
const FLOWS = 50
const WORDS = values.quick ? 200 : 2000

const gateway = await launch(compiledBench('gateway-server.ts'), ['--expose-gc'])
const bare = await launch(compiledBench('bare-server.ts'), [])
try {
  const rows = [...(await memoryAndLatency()), await throughput()]
  printReport('gateway', { streams: STREAMS, questions: QUESTIONS, cpu: os.cpus()[0]?.model ?? 'unknown' }, rows, print)
} finally {
  gateway.child.disconnect()
  bare.child.disconnect()
}

interface Running {
  child: ChildProcess
  address: string
}

async function launch(file: string, execArgv: readonly string[]): Promise<Running> {
  const child = fork(file, [], { execArgv: [...execArgv] })
  const [{ address }] = (await once(child, 'message')) as [{ address: string }]
  return { child, address }
}

async function memoryAndLatency(): Promise<Row[]> {
  // Once before, so that the code is compiled and its memory is not counted as the streams'.
  for (let i = 0; i < 300; i++) await firstWord(gateway.address)
  const before = await memoryOf(gateway)
  const sockets = await Promise.all(Array.from({ length: STREAMS }, () => openStream(gateway.address)))
  const perStream = ((await memoryOf(gateway)) - before) / STREAMS / 1024
  const [ours, theirs] = [await latencies(gateway.address), await latencies(bare.address)]
  for (const socket of sockets) socket.destroy()
  const row = (what: string, share: number, limit: number): Row => {
    const added = quantile(ours, share) - quantile(theirs, share)
    return limitRow(`first word, added at ${what}, ${STREAMS} streams open`, 'ms', added, limit)
  }
  return [row('p50', 0.5, 1), row('p99', 0.99, 3), limitRow('memory of an idle stream', 'KiB', perStream, 30)]
}

async function latencies(address: string): Promise<number[]> {
  for (let i = 0; i < 100; i++) await firstWord(address)
  const all: number[] = []
  for (let i = 0; i < QUESTIONS; i++) all.push(await firstWord(address))
  return all.toSorted((a, b) => a - b)
}

/** `FLOWS` streams at once, as fast as they come; events counted by their `data:`. */
async function throughput(): Promise<Row> {
  const rates: number[] = []
  for (let round = 0; round < 3; round++) {
    const start = performance.now()
    const counts = await Promise.all(Array.from({ length: FLOWS }, () => countEvents(gateway.address)))
    rates.push((counts.reduce((sum, count) => sum + count, 0) * 1000) / (performance.now() - start))
  }
  const rate = median(rates)
  const target = 20_000
  return {
    what: `events of ${FLOWS} streams`,
    unit: 'events/s',
    better: 'higher',
    values: { bendi: rate, limit: target },
    ratio: rate / target,
    against: 'limit',
    target: 1,
  }
}

function limitRow(what: string, unit: string, value: number, limit: number): Row {
  return { what, unit, better: 'lower', values: { bendi: value, limit }, ratio: value / limit, against: 'limit', target: 1 }
}

function request(address: string, order: string): Socket {
  const { hostname, port, host } = new URL(address)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  const body = JSON.stringify({ model: 'scripted', stream: true, messages: [{ role: 'user', content: order }] })
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  return socket
}

/** ms from the connection's beginning to the first byte of the first word. */
async function firstWord(address: string): Promise<number> {
  const start = performance.now()
  const socket = request(address, 'word')
  await untilText(socket, '"content":"word')
  const ms = performance.now() - start
  socket.destroy()
  return ms
}

async function openStream(address: string): Promise<Socket> {
  const socket = request(address, 'open')
  await untilText(socket, '"content":"word')
  return socket
}

function untilText(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = ''
    socket.on('data', (data) => {
      seen = (seen + data.toString('latin1')).slice(-4096)
      if (seen.includes(text)) resolve()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`closed before the first word: ${seen.slice(0, 300)}`)))
  })
}

async function countEvents(address: string): Promise<number> {
  const socket = request(address, `flow ${WORDS}`)
  let count = 0
  let tail = ''
  for await (const data of socket) {
    const text = tail + (data as Buffer).toString('latin1')
    count += text.split('\ndata: {').length - 1
    tail = text.slice(-8)
    count -= tail.split('\ndata: {').length - 1
    if (text.includes('data: [DONE]')) break
  }
  return count
}

async function memoryOf({ child }: Running): Promise<number> {
  child.send('memory')
  const [{ residentBytes }] = (await once(child, 'message')) as [{ residentBytes: number }]
  return residentBytes
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
