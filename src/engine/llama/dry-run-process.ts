/**
 * Entry of the child process that opens a model without its weights and makes contexts without their memory, so that libllama's log tells
 * what they would take (facts: `no_alloc` with `load_mode` NONE). It may crash on a hostile header: that is why it is a process.
 * Argument: a DryRunJob as JSON.
 */
import { loadBinding } from './binding.ts'
import { DryRunJobSchema } from './dry-run-job.ts'
import type { DryRunJob, DryRunReport } from './dry-run-job.ts'
import { modelOf, openContext } from './dry-run-model.ts'
import { findNativePackage } from './native-package.ts'

async function runJob({ file, kernel, gpuLayers, contexts, allocate = false }: DryRunJob): Promise<void> {
  const nativePackage = findNativePackage()
  const binding = loadBinding({
    package: gpuLayers === 0 ? { ...nativePackage, backends: [] } : nativePackage,
    ...(kernel === undefined ? {} : { kernel }),
  })
  const model = await modelOf(binding, { file, gpuLayers, allocate })
  if (model === undefined) return report({ type: 'failed', reason: 'libllama refuses the header' })
  report({ type: 'model', weights: binding.weightBytes(model), parameters: binding.parameterCount(model) })
  for (const context of contexts) report({ type: 'context', made: await openContext(binding, model, context) })
}

function report(line: DryRunReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await runJob(DryRunJobSchema.parse(JSON.parse(process.argv[2] ?? '')))
