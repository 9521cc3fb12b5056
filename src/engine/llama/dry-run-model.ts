/** The native calls of a dry run: a model without weights, a context that is made and freed at once. */
import type { Binding, ContextParams, ModelPointer } from './binding-types.ts'
import type { DryRunContext } from './dry-run-job.ts'
import { contextParameters } from './native-context.ts'

/** llama_load_mode NONE: with the others `no_alloc` ends in an assertion. */
const LOAD_NONE = 0

export function modelOf(
  binding: Binding,
  { file, gpuLayers, allocate }: { file: string; gpuLayers: number; allocate: boolean },
): Promise<ModelPointer | undefined> {
  return binding.loadModel(file, { n_gpu_layers: gpuLayers, load_mode: LOAD_NONE, no_alloc: !allocate })
}

/** False when libllama cannot make it. */
export async function openContext(binding: Binding, model: ModelPointer, wishes: DryRunContext): Promise<boolean> {
  const context = await binding.createContext(model, parameters(wishes))
  if (context === undefined) return false
  binding.freeContext(context)
  return true
}

/** As the engine makes its own. */
function parameters(wishes: DryRunContext): Partial<ContextParams> {
  return contextParameters({ ...wishes, threads: 1, batchThreads: 1 })
}
