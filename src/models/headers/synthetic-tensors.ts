/**
 * Tensors that libllama expects for a shape, matrices in F16: buffers of a step do not depend on the weights' types.
 * Source: llama.cpp src/models/*.cpp `load_arch_tensors`.
 */
import type { ModelShape } from './model-header.ts'
import { attentionTensors } from './synthetic-attention.ts'
import { feedForwardTensors } from './synthetic-feed-forward.ts'
import { matrix, vector } from './synthetic-tensor.ts'
import { isSynthetic, numberReader, traitsOf } from './synthetic-traits.ts'
import type { SyntheticArchitecture } from './synthetic-traits.ts'
import type { SyntheticTensor } from './synthetic-value.ts'

export function shapeTensors(architecture: string, shape: ModelShape): SyntheticTensor[] | undefined {
  if (!isSynthetic(architecture)) return undefined
  const get = numberReader(shape)
  const [layers, hidden, vocabulary] = [get('num_hidden_layers'), get('hidden_size'), get('vocab_size')]
  if (layers === 0 || hidden === 0 || vocabulary === 0 || layers > 1024) return undefined
  return [
    matrix('token_embd.weight', [hidden, vocabulary]),
    vector('output_norm.weight', hidden),
    ...(isTied(architecture, shape) ? [] : [matrix('output.weight', [hidden, vocabulary])]),
    ...Array.from({ length: layers }, (_, layer) => layerTensors(architecture, shape, layer)).flat(),
  ]
}

function isTied(architecture: SyntheticArchitecture, shape: ModelShape): boolean {
  const said = shape['tie_word_embeddings']
  return typeof said === 'boolean' ? said : traitsOf(architecture).isTied === true
}

function layerTensors(architecture: SyntheticArchitecture, shape: ModelShape, layer: number): SyntheticTensor[] {
  const hidden = numberReader(shape)('hidden_size')
  const tensors = [
    ...traitsOf(architecture).norms.map((name) => vector(`${name}.weight`, hidden)),
    ...attentionTensors(architecture, shape, layer),
    ...feedForwardTensors(architecture, shape, layer),
  ]
  return tensors.map((tensor) => ({ ...tensor, name: `blk.${layer}.${tensor.name}` }))
}
