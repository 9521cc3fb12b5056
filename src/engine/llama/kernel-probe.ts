/**
 * Entry of the child process that measures one CPU kernel variant. It may crash or hang: that is what we want to know.
 * Argument: a ProbeJob as JSON. Prints one ProbeResult as a line of JSON on stdout.
 */
import type { Run } from './batch.ts'
import { loadBinding } from './binding.ts'
import { PREFILL_TOKENS, ProbeJobSchema } from './kernel-probe-job.ts'
import type { ProbeJob, ProbeResult } from './kernel-probe-job.ts'
import { PROBE_CONTEXT } from './kernel-probe-model.ts'
import { loadModel } from './model.ts'
import { findNativePackage } from './native-package.ts'
import { createRunner } from './runner.ts'
import type { LlamaRunner } from './runner.ts'

const PREFILLS = 3
const DECODES = 12

async function probeKernel({ variant, model: file, threads }: ProbeJob): Promise<ProbeResult> {
  // Without the GPU backends: their start is slow and says nothing about the CPU.
  const nativePackage = findNativePackage()
  const binding = loadBinding({ package: { ...nativePackage, backends: [] }, kernel: variant })
  const model = await loadModel(binding, { file, gpuLayers: 0 })
  const runner = await createRunner(model, {
    layout: 'unified',
    slots: 1,
    cells: PROBE_CONTEXT,
    kvType: 'f16',
    batchTokens: PREFILL_TOKENS,
    microBatchTokens: PREFILL_TOKENS,
    threads,
    batchThreads: threads,
  })
  const prefills: number[] = []
  for (let index = 0; index < PREFILLS; index++) prefills.push(await step(runner, index * PREFILL_TOKENS, PREFILL_TOKENS))
  const decodes: number[] = []
  for (let index = 0; index < DECODES; index++) decodes.push(await step(runner, PREFILLS * PREFILL_TOKENS + index, 1))
  return { prefillMs: Math.min(...prefills), decodeMs: Math.min(...decodes) }
}

async function step(runner: LlamaRunner, start: number, count: number): Promise<number> {
  const run: Run = { sequence: 0, slot: 0, start, tokens: Array.from({ length: count }, (_, index) => index), sample: false, draft: 0 }
  return (await runner.run({ operations: [], runs: [run], tokenCount: count })).decodeMs
}

const result = await probeKernel(ProbeJobSchema.parse(JSON.parse(process.argv[2] ?? '')))
process.stdout.write(`${JSON.stringify(result)}\n`)
