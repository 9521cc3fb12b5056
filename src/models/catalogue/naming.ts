/**
 * Reads model names that follow `deepseek-{domain}-{size}-{version/use}`, and their relatives (`Qwen3-30B-A3B-Instruct-2507`).
 * Any text gives an answer: what no rule knows is listed as `unknown`, so that nothing of the name is lost.
 */

export const DOMAINS = ['general', 'code', 'math', 'proof', 'experts', 'vision', 'documents', 'images', 'reasoning', 'fine-tuning'] as const
export type Domain = (typeof DOMAINS)[number]

export const NAME_PARTS = [
  'owner',
  'maker',
  'domain',
  'version',
  'size',
  'activated',
  'use',
  'distill',
  'student',
  'variant',
  'snapshot',
  'format',
  'unknown',
] as const
export type NamePartType = (typeof NAME_PARTS)[number]

export interface NamePart {
  type: NamePartType
  /** As written. */
  text: string
}

export interface ModelName {
  /** Every piece of the name, in its order. */
  parts: readonly NamePart[]
  maker?: string
  domain: Domain
  /** `1.5b` as 1.5e9. For `8x7b` the product, which counts shared weights too often. */
  parameters?: number
  /** `A3B` as 3e9: used for each token. */
  activated?: number
  use?: NameUse
  /** `1.5` of `v1.5`, `3.1`, `R1`. */
  version?: string
  /** Whose weights were tuned on answers of the model that the name begins with. */
  student?: string
}

export const NAME_USES = ['base', 'instruct', 'chat', 'reasoning', 'reinforced', 'supervised'] as const
export type NameUse = (typeof NAME_USES)[number]

const MAX_LENGTH = 256

const DOMAIN_WORDS: Readonly<Record<string, Domain>> = {
  llm: 'general',
  coder: 'code',
  code: 'code',
  math: 'math',
  prover: 'proof',
  moe: 'experts',
  vl: 'vision',
  vision: 'vision',
  ocr: 'documents',
  janus: 'images',
  janusflow: 'images',
  esft: 'fine-tuning',
}

const USE_WORDS: Readonly<Record<string, NameUse>> = {
  base: 'base',
  pt: 'base',
  instruct: 'instruct',
  it: 'instruct',
  chat: 'chat',
  zero: 'reinforced',
  rl: 'reinforced',
  sft: 'supervised',
  thinking: 'reasoning',
  speciale: 'reasoning',
}

const VARIANTS: ReadonlySet<string> = new Set([
  'lite',
  'flash',
  'pro',
  'exp',
  'terminus',
  'dspark',
  'tiny',
  'small',
  'medium',
  'large',
  'mini',
  'air',
  'max',
  'nemo',
  'oss',
  'next',
  'preview',
  'latest',
])

/** Makers and series that start a name, or that follow it as the student of a distill. */
const SERIES =
  /^(deepseek|qwen|llama|glm|kimi|gpt|gemma|mistral|mixtral|minimax|phi|smollm|yi|internlm|baichuan|janus|janusflow)(\d[\d.]*)?$/
const STUDENT = /^(qwen|llama)([\d.]*)$/
/** R1, and what would follow it. */
const REASONER = /^r\d$/
const VISION = /^vl\d+$/
const SIZE = /^(\d+x)?(\d+(?:\.\d+)?)(b|m|t)(mqa)?$/
const ACTIVATED = /^a(\d+(?:\.\d+)?)b$/
const VERSION = /^([vk])?(\d+(?:\.\d+)*)$/
const FORMAT =
  /^(gguf|awq|gptq|mlx|exl[23]|bnb|nvfp4|mxfp[48]|fp(4|8|16)|bf16|f16|f32|int[48]|w\d+a\d+|\d+bit|[\d.]+bpw|ud|i?q\d(_[a-z\d]+)*|tq\d_\d|(qat|dynamic|imatrix|onnx|safetensors))$/
const UNITS: Readonly<Record<string, number>> = { m: 1e6, b: 1e9, t: 1e12 }

/** Never throws; a name longer than 256 characters is read to there. */
export function parseModelName(text: string): ModelName {
  const parts = readParts(text.slice(0, MAX_LENGTH))
  const of = (type: NamePartType): string | undefined => parts.find((part) => part.type === type)?.text
  const size = of('size')
  const activated = of('activated')
  const use = parts.findLast((part) => part.type === 'use')?.text
  return {
    parts,
    ...defined('maker', of('maker')),
    domain: domainOf(parts),
    ...defined('parameters', size === undefined ? undefined : parametersOf(size)),
    ...defined('activated', activated === undefined ? undefined : Number(activated.slice(1, -1)) * 1e9),
    ...defined('use', use === undefined ? undefined : useOfWord(use)),
    ...defined('version', versionOf(of('version'))),
    ...defined('student', of('student')),
  }
}

/** The domain that a word of a name stands for. */
export function domainOfWord(word: string): Domain | undefined {
  const key = word.toLowerCase()
  if (REASONER.test(key)) return 'reasoning'
  if (VISION.test(key)) return 'vision'
  return Object.hasOwn(DOMAIN_WORDS, key) ? DOMAIN_WORDS[key] : undefined
}

export function useOfWord(word: string): NameUse | undefined {
  const key = word.toLowerCase()
  return Object.hasOwn(USE_WORDS, key) ? USE_WORDS[key] : undefined
}

/** The pieces put together again: the same letters and digits as the name, its separators as hyphens. */
export function joinParts(parts: readonly NamePart[]): string {
  return parts.map((part) => part.text).join('-')
}

function readParts(text: string): NamePart[] {
  const slash = text.lastIndexOf('/')
  const owner = slash > 0 ? [{ type: 'owner' as const, text: text.slice(0, slash) }] : []
  // Tags of other tools: `deepseek-coder:6.7b-instruct-q4_K_M`.
  const tokens = text
    .slice(slash + 1)
    .split(/[-:\s]+/)
    .flatMap(withoutUnderscores)
    .filter((token) => token !== '')
  const parts: NamePart[] = []
  for (const token of tokens) parts.push({ type: typeOf(token.toLowerCase(), parts), text: token })
  return [...owner, ...parts]
}

/** `deepseek_coder_6.7b_q4_K_M`: underscores part words, but not those of a quantisation. */
function withoutUnderscores(token: string): string[] {
  if (!token.includes('_') || FORMAT.test(token.toLowerCase())) return [token]
  const [, words = token, format] = /^(.*?)_((?:i?q|tq)\d(?:_[a-z\d]+)*)$/i.exec(token) ?? []
  return [...words.split('_'), ...(format === undefined ? [] : [format])]
}

function typeOf(word: string, before: readonly NamePart[]): NamePartType {
  const has = (type: NamePartType): boolean => before.some((part) => part.type === type)
  if (before.length === 0 && SERIES.test(word)) return 'maker'
  if (word === 'distill' || word === 'distilled') return 'distill'
  if (before.length > 0 && STUDENT.test(word)) return 'student'
  if (SIZE.test(word)) return has('size') ? 'unknown' : 'size'
  if (ACTIVATED.test(word)) return 'activated'
  if (REASONER.test(word)) return 'version'
  if (domainOfWord(word)) return 'domain'
  if (useOfWord(word)) return 'use'
  if (VARIANTS.has(word)) return 'variant'
  if (isSnapshot(word)) return 'snapshot'
  if (VERSION.test(word)) return 'version'
  return FORMAT.test(word) ? 'format' : 'unknown'
}

/** Month and day (`0528`), or year and month (`2507`). */
function isSnapshot(word: string): boolean {
  if (!/^\d{4}$/.test(word)) return false
  const [first, second] = [Number(word.slice(0, 2)), Number(word.slice(2))]
  const isMonthAndDay = first >= 1 && first <= 12 && second >= 1 && second <= 31
  return isMonthAndDay || (first >= 20 && second >= 1 && second <= 12)
}

function domainOf(parts: readonly NamePart[]): Domain {
  const words = parts.filter((part) => part.type === 'domain' || part.type === 'maker' || part.type === 'version')
  // Coder-VL would be one of vision: the last word that names a domain is the nearest.
  const domains = words.map((part) => domainOfWord(part.text)).filter((domain) => domain !== undefined)
  return domains.at(-1) ?? 'general'
}

function parametersOf(size: string): number | undefined {
  const [, times, value, unit] = SIZE.exec(size.toLowerCase()) ?? []
  if (value === undefined || unit === undefined) return undefined
  return Math.round((times === undefined ? 1 : Number.parseInt(times, 10)) * Number(value) * (UNITS[unit] ?? 1))
}

function versionOf(text: string | undefined): string | undefined {
  return text !== undefined && REASONER.test(text.toLowerCase()) ? text.toUpperCase() : text?.replace(/^[vk]/i, '')
}

function defined<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value })
}
