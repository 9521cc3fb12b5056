/** Attention of one layer of a made header: keys of several heads, a latent, or a gated delta net. */
import type { ModelShape } from './model-header.ts'
import { matrix, single, vector } from './synthetic-tensor.ts'
import { headLength, isDeltaNet, numberReader, traitsOf } from './synthetic-traits.ts'
import type { SyntheticArchitecture } from './synthetic-traits.ts'
import type { SyntheticTensor } from './synthetic-value.ts'

export function attentionTensors(architecture: SyntheticArchitecture, shape: ModelShape, layer: number): SyntheticTensor[] {
  if (isDeltaNet(architecture, shape, layer)) return deltaNet(shape)
  if (traitsOf(architecture).attention === 'grouped') return groupedAttention(architecture, shape)
  return [...latentAttention(shape), ...(architecture === 'deepseek32' ? indexer(shape) : [])]
}

function groupedAttention(architecture: SyntheticArchitecture, shape: ModelShape): SyntheticTensor[] {
  const get = numberReader(shape)
  const { hasBias, hasHeadNorms, isFused, hasSinks, hasDeltaNets } = traitsOf(architecture)
  const [hidden, heads, length] = [get('hidden_size'), get('num_attention_heads'), headLength(shape)]
  const kv = (get('num_key_value_heads') || heads) * length
  // Qwen3-Next's queries bring a gate along.
  const query = heads * length * (hasDeltaNets === true ? 2 : 1)
  const biased = hasBias === true || (hasBias === 'config' && shape['attention_bias'] === true)
  const normed = hasHeadNorms === true || (hasHeadNorms === 'config' && (shape['use_qk_norm'] === true || shape['qk_norm'] === true))
  return [
    ...(isFused === true
      ? [matrix('attn_qkv.weight', [hidden, query + 2 * kv])]
      : [matrix('attn_q.weight', [hidden, query]), matrix('attn_k.weight', [hidden, kv]), matrix('attn_v.weight', [hidden, kv])]),
    matrix('attn_output.weight', [heads * length, hidden]),
    ...(biased ? [vector('attn_q.bias', query), vector('attn_k.bias', kv), vector('attn_v.bias', kv)] : []),
    ...(normed ? [vector('attn_q_norm.weight', length), vector('attn_k_norm.weight', length)] : []),
    ...(hasSinks === true ? [vector('attn_output.bias', hidden), vector('attn_sinks.weight', heads)] : []),
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

function deltaNet(shape: ModelShape): SyntheticTensor[] {
  const get = numberReader(shape)
  const [hidden, state, values] = [get('hidden_size'), get('linear_key_head_dim'), get('linear_num_value_heads')]
  const [keyWidth, valueWidth] = [state * get('linear_num_key_heads'), get('linear_value_head_dim') * values]
  return [
    matrix('attn_qkv.weight', [hidden, 2 * keyWidth + valueWidth]),
    matrix('attn_gate.weight', [hidden, valueWidth]),
    single('ssm_conv1d.weight', [get('linear_conv_kernel_dim'), 2 * keyWidth + valueWidth]),
    vector('ssm_dt.bias', values),
    vector('ssm_a', values),
    matrix('ssm_ba.weight', [hidden, 2 * values]),
    vector('ssm_norm.weight', get('linear_value_head_dim')),
    matrix('ssm_out.weight', [valueWidth, hidden]),
  ]
}
