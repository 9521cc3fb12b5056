import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { CommandResult, CommandRunner } from '../../base/child-process.ts'
import { silentLogger } from '../../base/logger.ts'
import { BUILT_IN_KERNEL, childArguments, chooseKernel } from './kernels.ts'
import type { ChooseKernelOptions } from './kernels.ts'
import { findNativePackage } from './native-package.ts'
import type { NativePackage } from './native-package.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bendi-kernels-'))
afterAll(() => fs.rmSync(folder, { recursive: true }))

const AVX512 =
  'sse4_2 avx f16c fma avx2 bmi2 avx512f avx512cd avx512vl avx512dq avx512bw avx512_vnni avx512vbmi amx_tile amx_int8 avx512_bf16'
const nativePackage: NativePackage = {
  name: 'linux-x64',
  version: '3.22.1',
  binsDir: '',
  libraries: { base: '', ggml: '', llama: '' },
  cpuVariants: ['haswell', 'icelake', 'sapphirerapids', 'x64'],
  cpuLibraries: {},
  backends: [],
}

let files = 0
/** A machine on which each variant's child ends as told; counts the children. */
function machine(outcomes: Record<string, Partial<CommandResult>>): { options: ChooseKernelOptions; started: string[] } {
  const started: string[] = []
  const run: CommandRunner = (_command, args) => {
    const { variant } = JSON.parse(args.at(-1) ?? '') as { variant: string }
    started.push(variant)
    return Promise.resolve({ code: 0, stdout: '', stderr: '', timedOut: false, ...outcomes[variant] })
  }
  const options: ChooseKernelOptions = {
    nativePackage,
    cacheFile: path.join(folder, `kernel-${files++}.json`),
    logger: silentLogger,
    machine: { cpuModel: 'Test', cores: 2, flags: new Set(AVX512.split(' ')), run },
  }
  return { options, started }
}

const took = (prefillMs: number, decodeMs: number): Partial<CommandResult> => ({
  stdout: `noise\n${JSON.stringify({ prefillMs, decodeMs })}\n`,
})

describe('chooseKernel', () => {
  test('takes the fastest that works, and says why the others were not taken', async () => {
    const { options } = machine({ icelake: took(10, 2), haswell: took(20, 2.5), sapphirerapids: { timedOut: true, code: 143 } })
    const choice = await chooseKernel(options)
    expect(choice.variant).toBe('icelake')
    expect(choice.reason).toContain('haswell')
    expect(choice.measured.find(({ variant }) => variant === 'sapphirerapids')?.error).toMatch(/slower than/)
  })

  test('prefers a modest variant over a wide one that is slower in sum', async () => {
    const { options } = machine({ icelake: took(10, 9), haswell: took(20, 2.5), sapphirerapids: { code: 132 } })
    expect((await chooseKernel(options)).variant).toBe('haswell')
  })

  test('asks the cache the second time, and measures again on another processor or when the cache is broken', async () => {
    const { options, started } = machine({ icelake: took(10, 2), haswell: took(20, 2.5), sapphirerapids: took(1000, 300) })
    const first = await chooseKernel(options)
    const count = started.length
    expect(await chooseKernel(options)).toEqual(first)
    expect(started).toHaveLength(count)
    if (!options.machine) throw new Error('no machine')
    await chooseKernel({ ...options, machine: { ...options.machine, cpuModel: 'Other' } })
    expect(started).toHaveLength(2 * count)
    fs.writeFileSync(options.cacheFile, '{"version":1,"choices":{"x":')
    await chooseKernel(options)
    expect(started).toHaveLength(3 * count)
  })

  test('falls back to older variants when the good ones crash, and fails when none works', async () => {
    const crash = { code: 132 }
    const { options, started } = machine({ icelake: crash, haswell: crash, sapphirerapids: crash, x64: took(90, 9) })
    expect((await chooseKernel(options)).variant).toBe('x64')
    expect(started.at(-1)).toBe('x64')
    const none = machine({ icelake: crash, haswell: crash, sapphirerapids: crash, x64: crash })
    await expect(chooseKernel(none.options)).rejects.toMatchObject({ code: 'engine-mismatch' })
  })

  test('an override is taken unmeasured, an unknown one refused with the names', async () => {
    const { options, started } = machine({})
    expect((await chooseKernel({ ...options, override: 'x64' })).variant).toBe('x64')
    await expect(chooseKernel({ ...options, override: 'zen9' })).rejects.toThrow(/haswell, icelake/)
    expect(started).toEqual([])
  })

  test('a package without variants has its built-in kernel', async () => {
    const { options } = machine({})
    expect((await chooseKernel({ ...options, nativePackage: { ...nativePackage, cpuVariants: [] } })).variant).toBe(BUILT_IN_KERNEL)
  })

  test('really measures this machine, with a child that works from the source', async () => {
    const choice = await chooseKernel({
      nativePackage: findNativePackage(),
      cacheFile: path.join(folder, 'real.json'),
      logger: silentLogger,
    })
    expect(findNativePackage().cpuVariants).toContain(choice.variant)
    expect(choice.measured.find(({ variant }) => variant === choice.variant)?.ms).toBeGreaterThan(0)
  }, 60_000)
})

test('the child runs the compiled file beside a compiled caller, and the source through tsx', () => {
  expect(childArguments('file:///app/dist/engine/llama/kernels.js')).toEqual([path.normalize('/app/dist/engine/llama/kernel-probe.js')])
  const source = childArguments(new URL('./kernels.ts', import.meta.url).href)
  expect(source[0]).toBe('--import')
  expect(source.at(-1)).toMatch(/kernel-probe\.ts$/)
})
