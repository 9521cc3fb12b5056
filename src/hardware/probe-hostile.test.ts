/** Vendors' tools that misbehave, as real programs: they sleep, crash, print garbage or without end, ignore signals, leave children behind. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { hardwareFixture } from '../../test/fixtures/hardware.ts'
import { runCommand } from '../base/child-process.ts'
import { GpuSchema } from '../shared/hardware.ts'
import { probeGpus } from './gpus.ts'
import { sample, thisSystem } from './system.ts'
import type { System } from './system.ts'

const GIB = 1024 ** 3
const memory = { totalBytes: 16 * GIB, availableBytes: 12 * GIB }
const TOOLS = ['nvidia-smi', 'rocm-smi', 'amd-smi', 'xpu-smi', 'npu-smi', 'mthreads-gmi', 'tegrastats', 'python3'] as const
/** All probes side by side take 3 s at most; the rest is for a busy machine, and far from the five minutes that the tools sleep. */
const LIMIT_MS = 30_000

const SCRIPTS = {
  sleeps: 'sleep 300',
  crashes: 'kill -SEGV $$',
  'aborts after some words': 'echo "NVIDIA A100, 81920"; kill -ABRT $$',
  'prints noise': 'head -c 200000 /dev/urandom',
  'prints without end': 'yes "NVIDIA H100 80GB HBM3, 81559, 81559, 580.1, 9.0"',
  'prints half a report': `cat <<'X'\n| npu-smi 24.1.0 Version\n| 0  910B1 | OK | 88\n{"card0": {"VRAM Total Mem\nX`,
  'prints numbers that are none': 'echo "X, NaN, -5, , "; echo "{\\"card0\\":{\\"VRAM Total Memory (B)\\":\\"1e999\\"}}"',
  'says nothing and fails': 'exit 3',
} as const

let folder: string
let pidFile: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-tools-'))
  pidFile = path.join(folder, 'pids')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The process ids of tools that were started and have not ended. */
async function whoIsLeft(): Promise<number[]> {
  const ids = (await readFile(pidFile, 'utf8')).trim().split('\n').map(Number)
  return ids.filter((id) => {
    try {
      return process.kill(id, 0)
    } catch {
      return false
    }
  })
}

/** A machine whose tools are these scripts; a Jetson, so that its probes run too. */
async function machineWith(name: string, scripts: Partial<Record<(typeof TOOLS)[number], string>>): Promise<System> {
  const own = path.join(folder, name.replaceAll(' ', '-'))
  await runCommand('mkdir', ['-p', own])
  for (const [tool, script] of Object.entries(scripts)) {
    await writeFile(path.join(own, tool), `#!/bin/sh\necho $$ >> '${pidFile}'\n${script}\n`)
    await chmod(path.join(own, tool), 0o755)
  }
  return {
    ...thisSystem,
    platform: 'linux',
    arch: 'arm64',
    readText: async (file) => (file === '/proc/device-tree/model' ? 'NVIDIA Jetson Orin Nano Developer Kit\0' : undefined),
    readFolder: async () => [],
    run: (command, args, options) => runCommand(path.join(own, path.basename(command)), args, options),
  }
}

describe('every tool at once', () => {
  test.each(Object.entries(SCRIPTS))(
    '%s: the probe answers in time, and what it says is well formed',
    async (name, script) => {
      const system = await machineWith(name, Object.fromEntries(TOOLS.map((tool) => [tool, script])))
      const started = performance.now()
      const { gpus, troubles } = await probeGpus(system, memory)
      expect(performance.now() - started).toBeLessThan(LIMIT_MS)
      expect(gpus.map((gpu) => GpuSchema.parse(gpu))).toEqual(gpus)
      // The board itself is known by its device tree, whatever its tools do.
      expect(gpus.some((gpu) => gpu.board === 'jetson')).toBe(true)
      expect(troubles.every(({ said }) => said.length <= 300)).toBe(true)
    },
    60_000,
  )

  test('tools that hang, each in its own way, do not cost the cards of another', async () => {
    const card = `cat <<'X'\n${hardwareFixture('mthreads-gmi-1.14-s80')}\nX`
    const system = await machineWith('mixed', {
      'nvidia-smi': "trap '' TERM INT HUP; sleep 300",
      'rocm-smi': SCRIPTS['prints noise'],
      'npu-smi': 'sleep 300 &\nexit 0',
      'xpu-smi': 'kill -STOP $$',
      'mthreads-gmi': card,
    })
    const started = performance.now()
    const { gpus, troubles } = await probeGpus(system, memory)
    expect(performance.now() - started).toBeLessThan(LIMIT_MS)
    expect(gpus.map((gpu) => gpu.vendor)).toContain('moore-threads')
    expect(troubles).toContainEqual(expect.objectContaining({ vendor: 'nvidia', reason: 'timed-out' }))
  }, 60_000)
})

describe('tegrastats, which never ends', () => {
  const LINE = hardwareFixture('tegra-stats-orin-7').trim()

  test('is ended after its first line', async () => {
    const system = await machineWith('tegra', { tegrastats: `while true; do echo "${LINE}"; sleep 0.25; done` })
    const started = performance.now()
    const { gpus } = await probeGpus(system, memory)
    expect(gpus.find((gpu) => gpu.board === 'jetson')).toMatchObject({ busyPercent: 0, name: 'NVIDIA Jetson Orin Nano Developer Kit' })
    expect(performance.now() - started).toBeLessThan(LIMIT_MS)
  }, 60_000)

  test('is left for jtop where it says nothing', async () => {
    const python = `case "$3" in *jtop*) echo '{"used": 2097152, "total": 8388608, "load": 42.4}';; *) exit 1;; esac`
    const system = await machineWith('jtop', { tegrastats: 'exit 1', python3: python })
    const { gpus } = await probeGpus(system, memory)
    expect(gpus.find((gpu) => gpu.board === 'jetson')).toMatchObject({ busyPercent: 42 })
  }, 60_000)

  test('a sample is what was said in its time', async () => {
    const system = await machineWith('sample', { tegrastats: 'echo one; sleep 300' })
    expect(await sample(system, 'tegrastats', [], { ms: 400, isEnough: () => false })).toBe('one\n')
    expect(await sample(system, 'missing', [], { ms: 400, isEnough: () => false })).toBe('')
  }, 60_000)
})

test('after all that, none of the tools is left', async () => {
  // Who does not end when asked is killed a second later.
  await expect.poll(whoIsLeft, { timeout: LIMIT_MS }).toEqual([])
}, 60_000)
