import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { writeTinyModel } from '../fixtures/tiny-gguf.ts'
import { collect, engineBench, request } from './engine-harness.ts'

const bench = await engineBench()
afterAll(() => bench.close())

const PROMPT = 'The quick brown fox jumps over the lazy dog. '.repeat(4)

const run = promisify(execFile)

/** From now on the process gets so many more bytes and no others. */
async function limitMemory(pid: number, bytes: number): Promise<void> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kibibytes = Number(/VmSize:\s+(\d+)/.exec(status)?.[1])
  await run('prlimit', [`--pid=${pid}`, `--as=${kibibytes * 1024 + bytes}`])
}

const canLimit = await run('prlimit', ['--version']).then(
  () => process.platform === 'linux',
  () => false,
)

it.skipIf(!canLimit)('goes on with the window it has when there is no memory for a longer one', async () => {
  const file = await writeTinyModel(bench.folder, { architecture: 'qwen2', context: 2 ** 23 })
  // The plan believed in memory that somebody else has taken since.
  const engine = await bench.open(file, { context: 512, kvBytes: 2 ** 40, kvBytesPerToken: 1024, parallel: 2 })
  const fields = { ignoreEos: true, maxTokens: 8 }
  const first = await collect(engine.generate(request(PROMPT, fields)))
  const { pid = 0 } = engine
  await limitMemory(pid, 2 ** 27)
  const busy = collect(engine.generate(request(`${PROMPT}${PROMPT}`, { ...fields, maxTokens: 60 })))
  const enough = new AbortController()
  const greedy = collect(engine.generate(request(PROMPT, { ignoreEos: true, maxTokens: 2 ** 22 }), enough.signal), (event) => {
    if (event.type === 'text-delta') enough.abort()
  })
  expect((await greedy).error?.code).toBe('cancelled')
  expect((await busy).usage?.completionTokens).toBe(60)
  const again = await collect(engine.generate(request(PROMPT, fields)))
  expect(again.texts).toEqual(first.texts)
  expect(engine.pid).toBe(pid)
})
