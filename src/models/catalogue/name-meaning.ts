/** What each piece of a model's name means, for people. */
import type { Localized } from '../../shared/language.ts'
import { domainOfWord, parseModelName, useOfWord } from './naming.ts'
import type { Domain, ModelName, NamePart, NameUse } from './naming.ts'

export interface NameMeaning {
  part: NamePart['type']
  text: string
  meaning: Localized
}

const DOMAIN_MEANINGS: Readonly<Record<Domain, Localized>> = {
  general: { en: 'general language model', zh: '通用语言模型' },
  code: { en: 'made for programming', zh: '面向编程' },
  math: { en: 'made for mathematics', zh: '面向数学' },
  proof: { en: 'writes formal proofs in Lean 4', zh: '用 Lean 4 编写形式化证明' },
  experts: { en: 'an early mixture of experts', zh: '早期的混合专家模型' },
  vision: { en: 'reads images too', zh: '也能读取图像' },
  documents: { en: 'turns images of documents into text', zh: '将文档图像转换为文本' },
  images: { en: 'reads images, and makes them', zh: '读取并生成图像' },
  reasoning: { en: 'thinks before it answers', zh: '先思考再回答' },
  'fine-tuning': { en: 'experts tuned for single tasks', zh: '针对单一任务微调的专家' },
}

const USE_MEANINGS: Readonly<Record<NameUse, Localized>> = {
  base: {
    en: 'continues a text; made for fine-tuning and completion, does not follow instructions',
    zh: '续写文本；用于微调和补全，不会遵循指令',
  },
  instruct: { en: 'tuned to follow instructions', zh: '经指令微调，能遵循指令' },
  chat: { en: 'tuned for conversation', zh: '经对话微调' },
  reasoning: { en: 'always thinks before it answers', zh: '始终先思考再回答' },
  reinforced: { en: 'trained by reinforcement learning', zh: '经强化学习训练' },
  supervised: { en: 'tuned on examples only (supervised)', zh: '仅经监督微调' },
}

const VARIANT_MEANINGS: Readonly<Record<string, Localized>> = {
  lite: { en: 'the small one of its version', zh: '该版本的小型号' },
  flash: { en: 'the fast, smaller one of its version', zh: '该版本中更快、更小的型号' },
  pro: { en: 'the large one of its version', zh: '该版本的大型号' },
  exp: { en: 'experimental', zh: '实验版' },
  terminus: { en: 'the last revision of V3.1', zh: 'V3.1 的最后修订版' },
  dspark: { en: 'with draft weights that make generating faster', zh: '附带加速生成的草稿权重' },
  preview: { en: 'a preview', zh: '预览版' },
}

/** One line for each piece, in the order of the name. */
export function nameMeanings(text: string): NameMeaning[] {
  const name = parseModelName(text)
  return name.parts.map((part) => ({ part: part.type, text: part.text, meaning: meaningOf(part, name) }))
}

/** Whether enough of it was understood to be a model's name at all. */
export function looksLikeModelName(text: string): boolean {
  const { maker, parameters, parts } = parseModelName(text)
  return maker !== undefined && parts.length > 1 && (parameters !== undefined || parts.some((part) => isTelling(part)))
}

function isTelling({ type }: NamePart): boolean {
  return type === 'domain' || type === 'version' || type === 'use' || type === 'student'
}

function meaningOf({ type, text }: NamePart, name: ModelName): Localized {
  const word = text.toLowerCase()
  switch (type) {
    case 'owner':
      return { en: 'who publishes the repository', zh: '仓库发布者' }
    case 'maker':
      return { en: 'the maker or series', zh: '厂商或系列' }
    case 'domain':
      return DOMAIN_MEANINGS[domainOfWord(text) ?? 'general']
    case 'version':
      return versionMeaning(word, name)
    case 'size':
      return sizeMeaning(word, name)
    case 'activated':
      return {
        en: `${text.slice(1)} of its parameters work on each token; all must be stored`,
        zh: `每个 token 只激活 ${text.slice(1)} 参数；但全部参数都要存放`,
      }
    case 'use':
      return USE_MEANINGS[useOfWord(text) ?? 'chat']
    case 'distill':
      return { en: 'another model, tuned on answers of the first-named one', zh: '以前者的回答微调的另一个模型' }
    case 'student':
      return {
        en: `what it really is: a ${text} model tuned on answers of the first-named one`,
        zh: `实际上是以前者的回答微调的 ${text} 模型`,
      }
    case 'variant':
      return VARIANT_MEANINGS[word] ?? { en: 'a variant', zh: '变体' }
    case 'snapshot':
      return snapshotMeaning(text)
    case 'format':
      return { en: 'how the file is stored or quantised', zh: '文件格式或量化方式' }
    case 'unknown':
      return { en: 'not part of the convention', zh: '不属于命名约定' }
  }
}

function versionMeaning(word: string, name: ModelName): Localized {
  if (/^r[02-9]$/.test(word)) return { en: `${word.toUpperCase()}: thinks before it answers`, zh: `${word.toUpperCase()}：先思考再回答` }
  if (word !== 'r1') return { en: `version ${name.version ?? word}`, zh: `版本 ${name.version ?? word}` }
  return name.student === undefined
    ? { en: 'R1: thinks before it answers', zh: 'R1：先思考再回答' }
    : { en: 'the teacher: R1, whose answers this one was tuned on', zh: '教师模型：R1，本模型以其回答微调' }
}

function sizeMeaning(word: string, name: ModelName): Localized {
  const count = name.parameters ?? 0
  const times = /^(\d+)x/.exec(word)?.[1]
  if (times !== undefined)
    return {
      en: `${times} experts; shared weights counted once, it is smaller than the product`,
      zh: `${times} 个专家；共享权重只计一次，实际小于乘积`,
    }
  const mqa = word.endsWith('mqa') ? { en: ', one key-value head (MQA)', zh: '，单个键值头（MQA）' } : { en: '', zh: '' }
  return { en: `${englishCount(count)} parameters${mqa.en}`, zh: `${chineseCount(count)}参数${mqa.zh}` }
}

/** `6.7 billion`. */
export function englishCount(count: number): string {
  if (count >= 1e12) return `${trim(count / 1e12)} trillion`
  return count >= 1e9 ? `${trim(count / 1e9)} billion` : `${trim(count / 1e6)} million`
}

/** `67 亿`. */
export function chineseCount(count: number): string {
  if (count >= 1e12) return `${trim(count / 1e12)} 万亿`
  return count >= 1e8 ? `${trim(count / 1e8)} 亿` : `${trim(count / 1e4)} 万`
}

function trim(value: number): string {
  return String(Number(value.toPrecision(4)))
}

function snapshotMeaning(text: string): Localized {
  const [first, second] = [text.slice(0, 2), text.slice(2)]
  return Number(first) > 12
    ? { en: `state of 20${first}-${second}`, zh: `20${first} 年 ${Number(second)} 月的版本` }
    : { en: `state of month ${first}, day ${second}`, zh: `${Number(first)} 月 ${Number(second)} 日的版本` }
}
