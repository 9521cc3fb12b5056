/** Where a model comes from, as far as its maker says. */
import type { Localized } from '../../shared/language.ts'
import type { CatalogueModel } from './repository.ts'

/**
 * What a repository was made from, where that is another of the same maker and its name does not say so. Sources: the model cards
 * and reports of V2.5, Coder-V2, DeepSeekMath, R1, V3.1, V3.2 (recalled where shared/facts/models.md is silent).
 */
const MADE_FROM: Readonly<Record<string, { from: readonly string[]; how: Localized }>> = {
  'DeepSeek-V3': tuned('DeepSeek-V3-Base'),
  'DeepSeek-V3-0324': tuned('DeepSeek-V3-Base'),
  'DeepSeek-R1-Zero': made(['DeepSeek-V3-Base'], 'trained by reinforcement learning alone from', '仅以强化学习训练自'),
  'DeepSeek-R1': made(['DeepSeek-V3-Base'], 'trained by reinforcement learning from', '以强化学习训练自'),
  'DeepSeek-R1-0528': made(['DeepSeek-R1'], 'the revision of May 2025 of', '2025 年 5 月修订自'),
  'DeepSeek-V3.1-Base': made(['DeepSeek-V3-Base'], 'trained on with long texts from', '以长文本继续训练自'),
  'DeepSeek-V3.1': tuned('DeepSeek-V3.1-Base'),
  'DeepSeek-V3.1-Terminus': made(['DeepSeek-V3.1'], 'the last revision of', '最终修订自'),
  'DeepSeek-V3.2-Exp': made(['DeepSeek-V3.1-Terminus'], 'trained on with sparse attention from', '加入稀疏注意力后继续训练自'),
  'DeepSeek-V3.2': made(['DeepSeek-V3.2-Exp'], 'the final form of', '正式版，前身为'),
  'DeepSeek-V3.2-Speciale': made(
    ['DeepSeek-V3.2'],
    'the variant for long thinking, without tool calls, of',
    '用于长思考、不支持工具调用的变体，源自',
  ),
  'DeepSeek-V2.5': made(['DeepSeek-V2-Chat', 'DeepSeek-Coder-V2-Instruct'], 'joins', '合并了'),
  'DeepSeek-V2.5-1210': made(['DeepSeek-V2.5'], 'the revision of December 2024 of', '2024 年 12 月修订自'),
  'DeepSeek-V2-Chat-0628': made(['DeepSeek-V2-Chat'], 'the revision of June 2024 of', '2024 年 6 月修订自'),
  'DeepSeek-Coder-V2-Base': made(['DeepSeek-V2'], 'trained on with code from an intermediate state of', '以代码继续训练自其中间检查点：'),
  'deepseek-coder-7b-base-v1.5': made(['deepseek-llm-7b-base'], 'trained on with code from', '以代码继续训练自'),
  'deepseek-math-7b-base': made(['deepseek-coder-7b-base-v1.5'], 'trained on with mathematics from', '以数学语料继续训练自'),
  'deepseek-math-7b-rl': made(['deepseek-math-7b-instruct'], 'trained by reinforcement learning from', '以强化学习训练自'),
  'DeepSeek-V4-Flash-0731': made(['DeepSeek-V4-Flash'], 'the final version (July 2026) that replaces', '正式版（2026 年 7 月），取代'),
  'DeepSeek-V4-Pro-0813': made(['DeepSeek-V4-Pro'], 'the final version (August 2026) that replaces', '正式版（2026 年 8 月），取代'),
  'DeepSeek-V4-Flash-DSpark': made(['DeepSeek-V4-Flash'], 'with draft weights added, the same as', '附加草稿权重，主体同'),
  'DeepSeek-V4-Pro-DSpark': made(['DeepSeek-V4-Pro'], 'with draft weights added, the same as', '附加草稿权重，主体同'),
  'DeepSeek-V4.1-Flash-1017': made(['DeepSeek-V4.1-Flash'], 'the state of October 2026 of', '2026 年 10 月版本，源自'),
}

/** The repository that another maker's weights were tuned to resemble: `DeepSeek-R1` for its distills. */
export function teacherOf({ family, id }: CatalogueModel): string | undefined {
  if (family !== 'DeepSeek-R1-Distill') return undefined
  return id.includes('0528') ? 'DeepSeek-R1-0528' : 'DeepSeek-R1'
}

/** "R1-Distill-Qwen-7B is Qwen2.5-Math-7B tuned on R1's outputs, not R1." Undefined when nothing is known. */
export function lineageText(model: CatalogueModel): Localized | undefined {
  const teacher = teacherOf(model)
  if (teacher !== undefined && model.base !== null) return distillText(model, teacher, model.base)
  const { from, how } = MADE_FROM[model.id] ?? {}
  if (from && how) return { en: `${model.id}: ${how.en} ${from.join(' and ')}.`, zh: `${model.id}：${how.zh} ${from.join(' 与 ')}。` }
  if (model.base !== null) return { en: `${model.id} was tuned from ${model.base}.`, zh: `${model.id} 由 ${model.base} 微调而来。` }
  const base = baseByName(model.id)
  return base === undefined ? undefined : { en: `${model.id} was tuned from ${base}.`, zh: `${model.id} 由 ${base} 微调而来。` }
}

function distillText({ id }: CatalogueModel, teacher: string, base: string): Localized {
  const short = (name: string): string => name.replace(/^DeepSeek-/, '')
  const student = base.split('/').at(-1) ?? base
  return {
    en: `${short(id)} is ${student} tuned on ${short(teacher)}'s outputs, not ${short(teacher)}: ${short(teacher)} itself has 671B parameters.`,
    zh: `${short(id)} 是用 ${short(teacher)} 的输出微调的 ${student}，不是 ${short(teacher)} 本身：${short(teacher)} 有 6710 亿参数。`,
  }
}

const NAMED_BASES: readonly (readonly [RegExp, string])[] = [
  [/^(deepseek-(?:llm|moe|vl|coder)-[\w.]+)-(?:chat|instruct)$/, '$1-base'],
  [/^(deepseek-(?:coder|math)-7b)-instruct(-v1\.5)?$/, '$1-base$2'],
  [/^(DeepSeek-V2(?:-Lite)?)-Chat$/, '$1'],
  [/^(DeepSeek-Coder-V2(?:-Lite)?)-Instruct(?:-\d+)?$/, '$1-Base'],
  [/^(DeepSeek-V4-(?:Flash|Pro))$/, '$1-Base'],
  [/^(DeepSeek-Prover-V1\.5)-(?:SFT|RL)$/, '$1-Base'],
]

function baseByName(id: string): string | undefined {
  const found = NAMED_BASES.find(([pattern]) => pattern.test(id))
  return found && id.replace(found[0], found[1])
}

/** All repositories that `lineageText` names, for the test that they exist. */
export function ancestorsOf(model: CatalogueModel): readonly string[] {
  const teacher = teacherOf(model)
  const base = baseByName(model.id)
  return [...(teacher === undefined ? [] : [teacher]), ...(MADE_FROM[model.id]?.from ?? []), ...(base === undefined ? [] : [base])]
}

function made(from: readonly string[], en: string, zh: string): { from: readonly string[]; how: Localized } {
  return { from, how: { en, zh } }
}

function tuned(from: string): { from: readonly string[]; how: Localized } {
  return made([from], 'tuned for conversation from', '经对话微调自')
}
