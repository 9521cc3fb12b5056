/** Which family's rules a model's answers follow, by what its template, name and architecture say together. */
import type { AnswerDialect } from './answer-dialect.ts'
import { deepseekR1 } from './dialects/deepseek-r1.ts'
import { deepseekV3 } from './dialects/deepseek-v3.ts'
import { deepseekV31 } from './dialects/deepseek-v31.ts'
import { deepseekV32 } from './dialects/deepseek-v32.ts'
import { deepseekV4 } from './dialects/deepseek-v4.ts'
import { deepseekV41 } from './dialects/deepseek-v41.ts'
import { generic, genericThinking } from './dialects/generic.ts'
import { glm45, glm47 } from './dialects/glm.ts'
import { gptOss } from './dialects/gpt-oss.ts'
import { hermes } from './dialects/hermes.ts'
import { kimiK2, kimiK2Thinking } from './dialects/kimi-k2.ts'
import { llama3 } from './dialects/llama3.ts'
import { mistralList, mistralNamed, mistralThinking } from './dialects/mistral.ts'
import { qwen3Coder, qwen35 } from './dialects/qwen3-coder.ts'
import { qwen3 } from './dialects/qwen3.ts'

export interface DialectHints {
  template?: string
  architecture: string
  name?: string
}

interface Rule {
  dialect: AnswerDialect
  /** All of these are in the template. */
  has?: readonly string[]
  /** None of these is. */
  lacks?: readonly string[]
}

/** First match wins. One mark alone decides nothing that another family also writes. */
const templateRules: readonly Rule[] = [
  { dialect: gptOss, has: ['<|channel|>', '<|message|>', '<|start|>'] },
  { dialect: deepseekV41, has: ['｜DSML｜', '<｜System｜>'] },
  { dialect: deepseekV41, has: ['<｜DSML｜ calls>'] },
  { dialect: deepseekV32, has: ['｜DSML｜', 'function_calls'], lacks: ['tool_result>'] },
  { dialect: deepseekV4, has: ['｜DSML｜', 'tool_calls'] },
  { dialect: deepseekR1, has: ['<｜Assistant｜>', '```', '</think>'] },
  { dialect: deepseekV3, has: ['<｜Assistant｜>', '<｜tool▁sep｜>', '```'] },
  { dialect: deepseekV31, has: ['<｜Assistant｜>', '<｜tool▁sep｜>', '</think>'] },
  { dialect: deepseekV31, has: ['<｜Assistant｜>', '</think>', 'thinking'], lacks: ['<｜tool▁sep｜>'] },
  { dialect: deepseekR1, has: ['<｜Assistant｜>', '<think>'] },
  { dialect: deepseekR1, has: ['<｜Assistant｜>', '</think>'] },
  { dialect: deepseekV3, has: ['<｜Assistant｜>'] },
  { dialect: mistralThinking, has: ['[TOOL_CALLS]', '[THINK]'] },
  { dialect: mistralNamed, has: ['[TOOL_CALLS]', '[ARGS]'] },
  { dialect: mistralList, has: ['[TOOL_CALLS]'] },
  { dialect: kimiK2Thinking, has: ['<|tool_calls_section_begin|>', '<think>'] },
  { dialect: kimiK2, has: ['<|tool_calls_section_begin|>'] },
  { dialect: glm47, has: ['<tool_call>', '</arg_key><arg_value>'] },
  { dialect: glm45, has: ['<tool_call>', '<arg_key>', '<arg_value>'] },
  { dialect: qwen35, has: ['<tool_call>', '<function=', '<parameter=', '</think>'] },
  { dialect: qwen3Coder, has: ['<tool_call>', '<function=', '<parameter='] },
  { dialect: qwen3, has: ['<tool_call>', '</think>', '"arguments"'] },
  { dialect: hermes, has: ['<tool_call>', '"arguments"'] },
  { dialect: llama3, has: ['<|start_header_id|>', '"parameters": '] },
  { dialect: genericThinking, has: ['<think>'] },
  { dialect: genericThinking, has: ['</think>'] },
]

/** For models without a template; the newest first, since `deepseek-v3` is a part of `deepseek-v3.1`. */
const nameRules: readonly [RegExp, AnswerDialect][] = [
  [/deepseek[-_ ]?v4[._]1/i, deepseekV41],
  [/deepseek[-_ ]?v4/i, deepseekV4],
  [/deepseek[-_ ]?v3[._]2[-_ ]?exp/i, deepseekV31],
  [/deepseek[-_ ]?v3[._]2|deepseek[-_ ]?math[-_ ]?v2/i, deepseekV32],
  [/deepseek[-_ ]?v3[._]1/i, deepseekV31],
  [/deepseek[-_ ]?r1/i, deepseekR1],
  [/deepseek[-_ ]?(v3|v2\.5|prover[-_ ]?v2)/i, deepseekV3],
  [/gpt[-_ ]?oss/i, gptOss],
  [/kimi[-_ ]?k2.*thinking|kimi[-_ ]?k2[._]5/i, kimiK2Thinking],
  [/kimi[-_ ]?k2/i, kimiK2],
  [/glm[-_ ]?4[._][56]|glm[-_ ]?4[-_ ]?moe/i, glm45],
  [/glm[-_ ]?(4[._][7-9]|[5-9])/i, glm47],
  [/qwen[-_ ]?3[-_ ]?coder/i, qwen3Coder],
  [/qwen[-_ ]?3[._][5-9]/i, qwen35],
  [/qwq|qwen[-_ ]?3(?![.\d])(?!.*(instruct|coder))/i, qwen3],
  [/qwen|hermes/i, hermes],
  [/llama[-_ ]?3\.[1-3]/i, llama3],
  [/magistral/i, mistralThinking],
  [/mistral|mixtral|ministral|devstral|codestral/i, mistralList],
]

const architectureRules: readonly [RegExp, AnswerDialect][] = [
  [/^deepseek41/, deepseekV41],
  [/^deepseek4/, deepseekV4],
  [/^deepseek32/, deepseekV32],
  [/^gpt-?oss/, gptOss],
  [/^glm4_?moe/, glm45],
  [/^qwen35|^qwen3_5/, qwen35],
  [/^qwen3/, qwen3],
  [/^qwen2/, hermes],
]

/** Never fails: what nothing is known about is `generic`. */
export function detectDialect({ template, name = '', architecture }: DialectHints): AnswerDialect {
  if (template !== undefined) return templateRules.find((rule) => matches(rule, template))?.dialect ?? generic
  return find(nameRules, name) ?? find(architectureRules, architecture) ?? generic
}

function matches({ has = [], lacks = [] }: Rule, template: string): boolean {
  return has.every((text) => template.includes(text)) && !lacks.some((text) => template.includes(text))
}

function find(rules: readonly [RegExp, AnswerDialect][], text: string): AnswerDialect | undefined {
  return rules.find(([pattern]) => pattern.test(text))?.[1]
}
