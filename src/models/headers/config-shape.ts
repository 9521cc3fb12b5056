/** config.json of a Hugging Face folder: the shape by its own names, the architecture as libllama calls it, the quantisation. */
import { printable } from '../printable.ts'
import { damageOf } from './damaged.ts'
import type { ModelShape } from './model-header.ts'

export interface ModelConfig {
  /** libllama's name, or `model_type` as it is. */
  architecture: string
  /** e.g. `DeepseekV3ForCausalLM`. */
  className?: string
  shape: ModelShape
  /** What `quantization_config` or the number type says, e.g. `FP8`, `AWQ-4bit`, `BF16`; undefined when it says nothing. */
  quantization?: string
  /** Tokens; 0 when it does not say. */
  trainedContext: number
}

export const CONFIG_LIMIT_BYTES = 1_000_000

/** libllama's names of config.json's `model_type`. Source: llama.cpp conversion/*.py `model_arch`. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  deepseek: 'deepseek',
  deepseek_v2: 'deepseek2',
  deepseek_v3: 'deepseek2',
  deepseek_v32: 'deepseek32',
  deepseek_v4: 'deepseek4',
  kimi_k2: 'deepseek2',
  llama: 'llama',
  llama4: 'llama4',
  llama4_text: 'llama4',
  mistral: 'llama',
  mistral3: 'mistral3',
  ministral3: 'mistral3',
  mixtral: 'llama',
  qwen2: 'qwen2',
  qwen2_moe: 'qwen2moe',
  qwen3: 'qwen3',
  qwen3_moe: 'qwen3moe',
  qwen3_next: 'qwen3next',
  gemma2: 'gemma2',
  gemma3: 'gemma3',
  gemma3_text: 'gemma3',
  gpt_oss: 'gpt-oss',
  glm4: 'glm4',
  glm4_moe: 'glm4moe',
  phi3: 'phi3',
  minimax_m2: 'minimax-m2',
  smollm3: 'smollm3',
}

/** Throws `damaged-file`. */
export function parseConfig(text: Uint8Array, path: string): ModelConfig {
  const fail = damageOf(path, 'config.json')
  if (text.length > CONFIG_LIMIT_BYTES) throw fail(`it has ${text.length} bytes`)
  const whole = readJson(text, fail)
  // Models that see or hear keep the language model's shape one level down.
  const inner = [whole['text_config'], whole['language_config'], whole['llm_config']].find(isObject)
  const config: Record<string, unknown> = { ...whole, ...inner }
  const modelType = textOf(config['model_type']) ?? ''
  const shape = shapeOf(config)
  if (shape.num_hidden_layers === undefined || shape.hidden_size === undefined)
    throw fail('it does not describe a language model (num_hidden_layers and hidden_size are missing)')
  const className = Array.isArray(config['architectures']) ? textOf(config['architectures'][0]) : undefined
  const quantization = quantizationOf(config)
  return {
    architecture: (Object.hasOwn(ARCHITECTURES, modelType) ? ARCHITECTURES[modelType] : undefined) ?? printable(modelType),
    ...(className === undefined ? {} : { className: printable(className) }),
    shape,
    ...(quantization === undefined ? {} : { quantization }),
    trainedContext: shape.max_position_embeddings ?? 0,
  }
}

function readJson(text: Uint8Array, fail: (reason: string) => Error): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8'))
  } catch {
    throw fail('it is not JSON')
  }
  if (!isObject(value)) throw fail('it is not an object')
  return value
}

const NUMBERS = [
  'num_hidden_layers',
  'hidden_size',
  'num_attention_heads',
  'num_key_value_heads',
  'vocab_size',
  'max_position_embeddings',
  'head_dim',
  'intermediate_size',
] as const
/** No model is larger; what is, would make plans of nonsense. */
const MOST = 2 ** 40

/** All entries that are plain data, the common numbers checked. */
function shapeOf(config: Readonly<Record<string, unknown>>): ModelShape {
  const plain = Object.entries(config).filter(([key, value]) => value !== undefined && !(NUMBERS as readonly string[]).includes(key))
  const known = NUMBERS.flatMap((key) => {
    const value = config[key]
    return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < MOST ? [[key, value] as const] : []
  })
  const shape = Object.fromEntries([...plain, ...known]) as Record<string, unknown>
  const ratios = config['compress_ratios']
  const layers = shape['num_hidden_layers']
  // The catalogue keeps the ratios of the layers and of the draft part apart.
  if (Array.isArray(ratios) && typeof layers === 'number' && shape['compress_ratios_main_layers'] === undefined) {
    shape['compress_ratios_main_layers'] = ratios.slice(0, layers)
    if (ratios.length > layers) shape['compress_ratios_extra'] = ratios.slice(layers)
  }
  if (shape['num_key_value_heads'] === undefined && shape['num_attention_heads'] !== undefined)
    shape['num_key_value_heads'] = shape['num_attention_heads']
  return shape as ModelShape
}

function quantizationOf(config: Readonly<Record<string, unknown>>): string | undefined {
  const scheme = isObject(config['quantization_config']) ? config['quantization_config'] : undefined
  const method = textOf(scheme?.['quant_method'])?.toUpperCase()
  if (method !== undefined) {
    const bits = scheme?.['bits'] ?? scheme?.['w_bit']
    const named = typeof bits === 'number' ? `${method}-${bits}bit` : method
    return textOf(config['expert_dtype']) === 'fp4' ? `FP4+${named}` : printable(named)
  }
  const type = (textOf(config['torch_dtype']) ?? textOf(config['dtype']))?.replace('torch.', '')
  const names: Readonly<Record<string, string>> = { bfloat16: 'BF16', float16: 'F16', float32: 'F32' }
  return type !== undefined && Object.hasOwn(names, type) ? names[type] : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
