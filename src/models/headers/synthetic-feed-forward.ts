/** Feed-forward of one layer of a made header: dense, or experts with those that work for every token. */
import type { ModelShape } from './model-header.ts'
import { matrix, single, vector } from './synthetic-tensor.ts'
import { denseWidthOf, expertsOf, expertWidthOf, isDenseLayer, numberReader, traitsOf } from './synthetic-traits.ts'
import type { SyntheticArchitecture } from './synthetic-traits.ts'
import type { SyntheticTensor } from './synthetic-value.ts'

export function feedForwardTensors(architecture: SyntheticArchitecture, shape: ModelShape, layer: number): SyntheticTensor[] {
  const hidden = numberReader(shape)('hidden_size')
  if (!isDenseLayer(architecture, shape, layer)) return mixture(architecture, shape)
  const width = denseWidthOf(shape)
  if (traitsOf(architecture).isGateInUp !== true) return gated('', hidden, width)
  return [matrix('ffn_up.weight', [hidden, 2 * width]), matrix('ffn_down.weight', [width, hidden])]
}

function mixture(architecture: SyntheticArchitecture, shape: ModelShape): SyntheticTensor[] {
  const [hidden, experts, width] = [numberReader(shape)('hidden_size'), expertsOf(shape), expertWidthOf(shape)]
  const { hasSinks, routerBias } = traitsOf(architecture)
  const isCorrected = routerBias === 'always' || (routerBias === 'config' && shape['topk_method'] === 'noaux_tc')
  return [
    single('ffn_gate_inp.weight', [hidden, experts]),
    matrix('ffn_gate_exps.weight', [hidden, width, experts]),
    matrix('ffn_up_exps.weight', [hidden, width, experts]),
    matrix('ffn_down_exps.weight', [width, hidden, experts]),
    ...(isCorrected ? [vector('exp_probs_b.bias', experts)] : []),
    ...(hasSinks === true ? expertBiases(hidden, width, experts) : []),
    ...sharedExpert(architecture, shape),
  ]
}

function expertBiases(hidden: number, width: number, experts: number): SyntheticTensor[] {
  return [
    vector('ffn_gate_inp.bias', experts),
    single('ffn_gate_exps.bias', [width, experts]),
    single('ffn_up_exps.bias', [width, experts]),
    single('ffn_down_exps.bias', [hidden, experts]),
  ]
}

function sharedExpert(architecture: SyntheticArchitecture, shape: ModelShape): SyntheticTensor[] {
  const get = numberReader(shape)
  const hidden = get('hidden_size')
  const { shared } = traitsOf(architecture)
  const width = {
    count: expertWidthOf(shape) * get('n_shared_experts'),
    one: expertWidthOf(shape),
    gated: get('shared_expert_intermediate_size'),
    none: 0,
  }[shared ?? 'none']
  if (width === 0) return []
  return [...(shared === 'gated' ? [vector('ffn_gate_inp_shexp.weight', hidden)] : []), ...gated('_shexp', hidden, width)]
}

function gated(suffix: string, hidden: number, width: number): SyntheticTensor[] {
  return [
    matrix(`ffn_gate${suffix}.weight`, [hidden, width]),
    matrix(`ffn_up${suffix}.weight`, [hidden, width]),
    matrix(`ffn_down${suffix}.weight`, [width, hidden]),
  ]
}
