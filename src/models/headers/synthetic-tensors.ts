/**
 * Tensors that libllama expects for a shape, matrices in F16: buffers of a step do not depend on the weights' types.
 * Source: llama.cpp src/models/{llama,qwen2,qwen3,qwen3moe,deepseek2,deepseek32}.cpp `load_arch_tensors`.
 */
import type { ModelShape } from './model-header.ts'
import type { SyntheticTensor } from './synthetic-value.ts'
import { expertsOf, isLatent, isSynthetic, numberReader } from './synthetic-metadata.ts'
import type { SyntheticArchitecture } from './synthetic-metadata.ts'

const F32 = 0
const F16 = 1

export function shapeTensors(architecture: string, shape: ModelShape): SyntheticTensor[] | undefined {
  if (!isSynthetic(architecture)) return undefined
  const get = numberReader(shape)
  const [layers, hidden, vocabulary] = [get('num_hidden_layers'), get('hidden_size'), get('vocab_size')]
  if (layers === 0 || hidden === 0 || vocabulary === 0 || layers > 1024) return undefined
  return [
    matrix('token_embd.weight', [hidden, vocabulary]),
    vector('output_norm.weight', hidden),
    ...(shape['tie_word_embeddings'] === true ? [] : [matrix('output.weight', [hidden, vocabulary])]),
    ...Array.from({ length: layers }, (_, layer) => layerTensors(architecture, shape, layer)).flat(),
  ]
}

function layerTensors(architecture: SyntheticArchitecture, shape: ModelShape, layer: number): SyntheticTensor[] {
  const get = numberReader(shape)
  const hidden = get('hidden_size')
  const isDense = expertsOf(shape) === 0 || (isLatent(architecture) && layer < get('first_k_dense_replace'))
  const tensors = [
    vector('attn_norm.weight', hidden),
    vector('ffn_norm.weight', hidden),
    ...(isLatent(architecture) ? latentAttention(shape) : groupedAttention(architecture, shape)),
    ...(architecture === 'deepseek32' ? indexer(shape) : []),
    ...(isDense ? denseFeedForward(hidden, get('intermediate_size')) : mixture(architecture, shape)),
  ]
  return tensors.map((tensor) => ({ ...tensor, name: `blk.${layer}.${tensor.name}` }))
}

function groupedAttention(architecture: SyntheticArchitecture, shape: ModelShape): SyntheticTensor[] {
  const get = numberReader(shape)
  const [hidden, heads] = [get('hidden_size'), get('num_attention_heads')]
  const length = get('head_dim') || Math.floor(hidden / heads)
  const kv = (get('num_key_value_heads') || heads) * length
  const hasNorms = architecture === 'qwen3' || architecture === 'qwen3moe'
  return [
    matrix('attn_q.weight', [hidden, heads * length]),
    matrix('attn_k.weight', [hidden, kv]),
    matrix('attn_v.weight', [hidden, kv]),
    matrix('attn_output.weight', [heads * length, hidden]),
    ...(architecture === 'qwen2' ? [vector('attn_q.bias', heads * length), vector('attn_k.bias', kv), vector('attn_v.bias', kv)] : []),
    ...(hasNorms ? [vector('attn_q_norm.weight', length), vector('attn_k_norm.weight', length)] : []),
  ]
}

function latentAttention(shape: ModelShape): SyntheticTensor[] {
  const get = numberReader(shape)
  const [hidden, heads, queryRank, rank] = [get('hidden_size'), get('num_attention_heads'), get('q_lora_rank'), get('kv_lora_rank')]
  const [rope, nope, value] = [get('qk_rope_head_dim'), get('qk_nope_head_dim'), get('v_head_dim')]
  const query = heads * (nope + rope)
  return [
    ...(queryRank > 0
      ? [
          matrix('attn_q_a.weight', [hidden, queryRank]),
          vector('attn_q_a_norm.weight', queryRank),
          matrix('attn_q_b.weight', [queryRank, query]),
        ]
      : [matrix('attn_q.weight', [hidden, query])]),
    matrix('attn_kv_a_mqa.weight', [hidden, rank + rope]),
    vector('attn_kv_a_norm.weight', rank),
    matrix('attn_k_b.weight', [nope, rank, heads]),
    matrix('attn_v_b.weight', [rank, value, heads]),
    matrix('attn_output.weight', [heads * value, hidden]),
  ]
}

function indexer(shape: ModelShape): SyntheticTensor[] {
  const get = numberReader(shape)
  const [hidden, heads, length] = [get('hidden_size'), get('index_n_heads'), get('index_head_dim')]
  return [
    vector('indexer.k_norm.weight', length),
    vector('indexer.k_norm.bias', length),
    matrix('indexer.proj.weight', [hidden, heads]),
    matrix('indexer.attn_k.weight', [hidden, length]),
    matrix('indexer.attn_q_b.weight', [get('q_lora_rank'), heads * length]),
  ]
}

function denseFeedForward(hidden: number, width: number): SyntheticTensor[] {
  return [matrix('ffn_gate.weight', [hidden, width]), matrix('ffn_up.weight', [hidden, width]), matrix('ffn_down.weight', [width, hidden])]
}

function mixture(architecture: SyntheticArchitecture, shape: ModelShape): SyntheticTensor[] {
  const get = numberReader(shape)
  const [hidden, experts] = [get('hidden_size'), expertsOf(shape)]
  // Mixtral calls it as a dense model does.
  const width = get('moe_intermediate_size') || get('intermediate_size')
  const shared = width * get('n_shared_experts')
  return [
    { ...matrix('ffn_gate_inp.weight', [hidden, experts]), typeId: F32, bytes: hidden * experts * 4 },
    matrix('ffn_gate_exps.weight', [hidden, width, experts]),
    matrix('ffn_up_exps.weight', [hidden, width, experts]),
    matrix('ffn_down_exps.weight', [width, hidden, experts]),
    ...(isLatent(architecture) && shape['topk_method'] === 'noaux_tc' ? [vector('exp_probs_b.bias', experts)] : []),
    ...(isLatent(architecture) && shared > 0
      ? [
          matrix('ffn_gate_shexp.weight', [hidden, shared]),
          matrix('ffn_up_shexp.weight', [hidden, shared]),
          matrix('ffn_down_shexp.weight', [shared, hidden]),
        ]
      : []),
  ]
}

function matrix(name: string, shape: readonly number[]): SyntheticTensor {
  return { name, shape, typeId: F16, bytes: shape.reduce((product, size) => product * size, 2) }
}

function vector(name: string, size: number): SyntheticTensor {
  return { name, shape: [size], typeId: F32, bytes: size * 4 }
}
