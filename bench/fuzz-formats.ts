/**
 * `tsx bench/fuzz-formats.ts [N] [--seed 1]`: N random mutations (a million unless said) over the parsers of all formats, in a child with
 * 256 MB. Ends with code 1 when one throws something else than a refusal, takes longer than 5 s, or the child runs out of memory.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fuzzTargets, mutate, randomFrom, tryParse } from '../test/fixtures/format-mutations.ts'

const MEMORY_MB = 256
const LIMIT_MS = 5000
const BLOCK = 2000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, child: { type: 'boolean', default: false } },
})
const count = Number(positionals[0] ?? 1_000_000)
process.exitCode = values.child ? await fuzz() : await watch()

interface Progress {
  done: number
  refused: number
  slowestMs: number
  mostBytes: number
  where: string
}

/** The child tells of every block; when it is silent for too long, it hangs. */
function watch(): Promise<number> {
  const started = performance.now()
  const args = [String(count), '--child', '--seed', values.seed]
  const child = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--import', 'tsx', `--max-old-space-size=${MEMORY_MB}`] })
  let last: Progress = { done: 0, refused: 0, slowestMs: 0, mostBytes: 0, where: '' }
  let hung = false
  const onSilence = (): void => {
    hung = true
    child.kill('SIGKILL')
  }
  let silence = setTimeout(onSilence, LIMIT_MS * 12)
  child.on('message', (message) => {
    last = message as Progress
    clearTimeout(silence)
    silence = setTimeout(onSilence, LIMIT_MS * 12)
  })
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(silence)
      const seconds = (performance.now() - started) / 1000
      const result = hung ? `hangs in ${last.where}` : code === 0 ? 'ok' : `ended with ${signal ?? code} in ${last.where}`
      print(
        `${last.done} mutations, ${last.refused} refused, slowest ${last.slowestMs.toFixed(1)} ms, heap ${(last.mostBytes / 1e6).toFixed(0)} MB, ${seconds.toFixed(0)} s: ${result}`,
      )
      print(
        JSON.stringify({
          bench: 'fuzz-formats',
          seed: Number(values.seed),
          memoryMb: MEMORY_MB,
          seconds: Math.round(seconds),
          ...last,
          result,
        }),
      )
      resolve(code === 0 && !hung ? 0 : 1)
    })
  })
}

async function fuzz(): Promise<number> {
  const targets = fuzzTargets()
  const random = randomFrom(Number(values.seed))
  const progress: Progress = { done: 0, refused: 0, slowestMs: 0, mostBytes: 0, where: '' }
  while (progress.done < count) {
    const target = targets[Math.floor(progress.done / BLOCK) % targets.length]
    if (target === undefined) return 1
    progress.where = target.name
    for (let round = 0; round < BLOCK && progress.done < count; round += 1) {
      const data = mutate(target.seed, random)
      const start = performance.now()
      const outcome = await tryParse(target, data).catch((error: unknown) => {
        print(`${target.name}: ${data.toString('base64')}`)
        throw error
      })
      progress.slowestMs = Math.max(progress.slowestMs, performance.now() - start)
      progress.done += 1
      if (outcome === 'refused') progress.refused += 1
    }
    progress.mostBytes = Math.max(progress.mostBytes, process.memoryUsage().heapUsed)
    process.send?.(progress)
  }
  process.disconnect?.()
  return progress.slowestMs < LIMIT_MS ? 0 : 1
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
