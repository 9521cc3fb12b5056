/** The use case `recommend`: which models of the catalogue suit this machine and purpose, and what to do when none does. */
import { shortNamesOf } from '../models/catalogue/describe.ts'
import { commercialUse } from '../models/catalogue/licenses.ts'
import { REPOSITORIES, repositoryOf } from '../models/catalogue/repositories.ts'
import type { CatalogueModel } from '../models/catalogue/repository.ts'
import { plannedMachine } from '../planner/plan-reference.ts'
import { subjectOf } from '../planner/planner-situation.ts'
import { recommend } from '../planner/recommend.ts'
import type { Candidate } from '../planner/recommend.ts'
import { smallestMachine } from '../planner/suggestions.ts'
import type { Hardware } from '../shared/api.ts'
import type { Recommendation, RecommendReport, RecommendRequest } from '../shared/plan.ts'
import { headerOfCatalogue, quantizationOfFormat } from './plan-header.ts'

const CHINESE_FAMILIES = /^(deepseek|janus|qwen|glm|kimi)/i
const MOST_MODELS = 8
/** Smaller ones answer, but not sensibly; nor do small ones in so few bits. */
const SENSIBLE_BYTES = 900_000_000
const FEW_BITS = /^(I?Q[123])/

/** `now`: ms since 1970. Throws `invalid-field`. */
export function recommendHere(request: RecommendRequest, hardware: Hardware, now: number = Date.now()): RecommendReport {
  const machine = plannedMachine(hardware, request)
  const languages = languagesOf(request.languages ?? '')
  const need = { task: request.for ?? 'chat', users: request.users ?? 1, context: request.context ?? 8192, languages, now }
  const models = withoutTwins(recommend(newest(candidates()), machine, need)).slice(0, MOST_MODELS)
  const isSensible = models.some(({ download, quantization }) => download >= SENSIBLE_BYTES * (FEW_BITS.test(quantization) ? 4 : 1))
  return {
    for: need.task,
    users: need.users,
    context: need.context,
    languages,
    machine: { gpus: machine.gpus.map((gpu) => gpu.name), memoryBytes: machine.memory.totalBytes },
    models,
    ...(isSensible ? {} : { instead: instead(need, hardware) }),
  }
}

/** `zh,en`; also `中文`, `Chinese`, `zh-CN`. */
function languagesOf(text: string): string[] {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[,、;\s]+/)
    .filter((word) => word !== '')
  return [...new Set(words.map((word) => LANGUAGE_WORDS.find(([pattern]) => pattern.test(word))?.[1] ?? word))]
}

const LANGUAGE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(zh\b|zh[-_]|cn$|chinese|mandarin|中|汉语|漢語|华语|普通话)/, 'zh'],
  [/^(en\b|en[-_]|english|英)/, 'en'],
]

/** Tuned for use, text in and out, with a known shape; drafts and experiments are left out. */
function candidates(): Candidate[] {
  return REPOSITORIES.filter((model) => model.use !== 'base' && model.shape && !/DSpark|Exp\b|Zero/.test(model.id)).flatMap(candidateOf)
}

function candidateOf(model: CatalogueModel): Candidate[] {
  const header = headerOfCatalogue(model)
  if (!header) return []
  return [
    {
      repository: `${model.owner}/${model.id}`,
      header,
      released: model.released.length === 4 ? `${model.released}-07-01` : model.released,
      tasks: model.tasks,
      thinks: model.thinking === null ? 'never' : model.thinking === 'always' ? 'always' : 'optional',
      isChinese: CHINESE_FAMILIES.test(model.family),
      isOpenLicense: commercialUse(model) === 'yes',
      runsInLlama: model.llamaCpp.support === 'yes',
      pullAs: (quantization, engine) => pullName(model, quantization, engine),
    },
  ]
}

/** A short name when it stands for that quantisation, else the file in a repository of GGUFs. */
function pullName(model: CatalogueModel, quantization: string, engine: string): string | undefined {
  if (engine !== 'llama') return isServedAs(model, quantization) ? `hf:${model.owner}/${model.id}` : undefined
  const [short] = shortNamesOf(model)
  if (short?.quantization === quantization) return short.name
  const repository =
    short?.sources[0]?.replace(/:[^:/]*$/, '') ?? (model.gguf[0] === undefined ? undefined : `hf:${model.gguf[0].split(' ')[0]}`)
  return repository === undefined ? undefined : `${repository}:${quantization}`
}

/** The published files themselves; 16-bit ones are made FP8 while vLLM loads them. Other formats are other repositories. */
function isServedAs({ weights }: CatalogueModel, quantization: string): boolean {
  const own = quantizationOfFormat(weights.format)
  return own === quantization || (own === 'BF16' && quantization === 'FP8')
}

/** Models of the same shape and purpose differ in their date alone: the newest is looked at. */
function newest(all: readonly Candidate[]): Candidate[] {
  const byKind = new Map<string, Candidate>()
  for (const candidate of all) {
    const { header, thinks, tasks, isOpenLicense } = candidate
    const key = JSON.stringify([header.architecture, header.shape, header.trainedContext, thinks, tasks, isOpenLicense])
    const known = byKind.get(key)
    if (!known || known.released < candidate.released) byKind.set(key, candidate)
  }
  return [...byKind.values()]
}

/** Snapshots of one model weigh the same and differ in date: the newest is enough. */
function withoutTwins(models: readonly Recommendation[]): Recommendation[] {
  const seen = new Set<string>()
  return models.filter((model) => {
    const key = `${model.download} ${model.quantization}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

const POPULAR = ['DeepSeek-R1-Distill-Qwen-7B', 'Qwen3-30B-A3B', 'DeepSeek-R1-Distill-Qwen-32B', 'DeepSeek-R1-0528'] as const

function instead(need: { users: number; context: number }, hardware: Hardware): RecommendReport['instead'] {
  const machine = plannedMachine(hardware, {})
  const hardwareList = POPULAR.flatMap((id) => {
    const model = repositoryOf(id)
    const header = model && headerOfCatalogue(model)
    if (!header) return []
    const wishes = { ...need, kv: 'f16', kvLayout: 'split', engine: 'llama', quantization: 'Q4_K_M', draft: false } as const
    const found = smallestMachine(subjectOf(header, machine), wishes)
    return found ? [{ gpu: found.gpu === 'none' ? `${found.ramGiB} GiB` : `${found.gpu} + ${found.ramGiB} GiB`, model: id }] : []
  })
  return {
    text: {
      en: 'Nothing sensible fits here. Use a hosted model, or a larger machine:',
      zh: '本机放不下合适的模型。可使用云端服务，或更换机器：',
    },
    hosted: HOSTED,
    hardware: hardwareList,
  }
}

const HOSTED: NonNullable<RecommendReport['instead']>['hosted'] = [
  { name: 'DeepSeek', note: { en: "the maker's own API: deepseek-flash is V4.1-Flash", zh: '官方 API：deepseek-flash 即 V4.1-Flash' } },
  { name: 'SiliconFlow', note: { en: 'R1, V3, V4, Qwen and others', zh: '硅基流动：R1、V3、V4、Qwen 等' } },
  { name: 'Volcengine Ark', note: { en: 'DeepSeek models', zh: '火山方舟：DeepSeek 系列' } },
  { name: 'Alibaba Cloud Model Studio', note: { en: 'Qwen and DeepSeek', zh: '阿里云百炼：Qwen 与 DeepSeek' } },
]
