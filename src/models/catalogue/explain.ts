/** Sentences about a repository, in English and Chinese. Each function answers one question; undefined = nothing is known. */
import type { Localized } from '../../shared/language.ts'
import { licenseText } from './licenses.ts'
import { lineageText, teacherOf } from './lineage.ts'
import { phrase } from './phrases.ts'
import { SOURCES } from './repository.ts'
import type { CatalogueModel, Task } from './repository.ts'

export const TOPICS = [
  'lineage',
  'parameters',
  'use',
  'license',
  'sampling',
  'system-prompt',
  'thinking',
  'engines',
  'notes',
  'verification',
] as const
export type Topic = (typeof TOPICS)[number]

export interface Explanation {
  topic: Topic
  text: Localized
}

/** Everything that is known, one entry a topic. */
export function explain(model: CatalogueModel): Explanation[] {
  const texts: Readonly<Record<Topic, Localized | undefined>> = {
    lineage: lineageText(model),
    parameters: parametersText(model),
    use: useText(model),
    license: licenseText(model),
    sampling: samplingText(model),
    'system-prompt': systemPromptText(model),
    thinking: thinkingText(model),
    engines: enginesText(model),
    notes: model.notes === null ? undefined : phrase(model.notes),
    verification: verificationText(model),
  }
  return TOPICS.flatMap((topic) => {
    const text = texts[topic]
    return text === undefined ? [] : [{ topic, text }]
  })
}

const TASK_NAMES: Readonly<Record<Task, Localized>> = {
  chat: { en: 'conversation', zh: '对话' },
  code: { en: 'programming', zh: '编程' },
  math: { en: 'mathematics', zh: '数学' },
  reasoning: { en: 'reasoning', zh: '推理' },
  documents: { en: 'documents', zh: '文档' },
  vision: { en: 'reading images', zh: '图像理解' },
  images: { en: 'making images', zh: '图像生成' },
  proof: { en: 'formal proofs (Lean 4)', zh: '形式化证明（Lean 4）' },
}

export function taskName(task: Task): Localized {
  return TASK_NAMES[task]
}

/** One line that says what it really is. */
export function summaryText(model: CatalogueModel): Localized {
  const { total, activated } = model.parameters
  const hasExperts = activated !== null && activated !== total
  const size = {
    en: `${total}${hasExperts ? `, ${shortCount(activated)} active` : ''}`,
    zh: `${total}${hasExperts ? `，激活 ${shortCount(activated)}` : ''}`,
  }
  const teacher = teacherOf(model)
  if (teacher !== undefined && model.base !== null)
    return {
      en: `${size.en}; ${model.base} tuned on answers of ${teacher}, not ${teacher} itself`,
      zh: `${size.zh}；以 ${teacher} 的回答微调的 ${model.base}，并非 ${teacher} 本身`,
    }
  const tasks = tasksText(model)
  return { en: `${size.en}; ${tasks.en}`, zh: `${size.zh}；${tasks.zh}` }
}

function tasksText({ use, tasks }: CatalogueModel): Localized {
  if (use === 'base') return { en: 'base model for fine-tuning and completion', zh: '用于微调和补全的基座模型' }
  return { en: tasks.map((task) => TASK_NAMES[task].en).join(', '), zh: tasks.map((task) => TASK_NAMES[task].zh).join('、') }
}

/** `37B (36.7B incl. …)` → `37B`. */
function shortCount(text: string): string {
  return text.replace(/ \(.*$/, '')
}

/** Total against activated, and why the hub shows another number: 685B = 671B + 14B. */
export function parametersText({ parameters, weights }: CatalogueModel): Localized {
  const { total, activated, exact, extra, hub } = parameters
  const exactly = exact === null ? '' : ` (${exact.toLocaleString('en-US')})`
  const sentences: Localized[] = [{ en: `${total} parameters${exactly}.`, zh: `参数量 ${total}${exactly}。` }]
  if (activated !== null && activated !== total)
    sentences.push({
      en: `Only ${shortCount(activated)} of them work on each token: that makes it fast, but all must be stored, so memory follows the total.`,
      zh: `每个 token 只激活 ${shortCount(activated)}：因此速度快，但全部参数都要存放，内存需求取决于总量。`,
    })
  if (hub === '685B')
    sentences.push({
      en: 'The hub shows 685B = 671B + 14B of multi-token-prediction weights (11.5B of them unique), which plain generation does not need.',
      zh: '模型站点显示 685B = 671B + 14B 多词元预测（MTP）权重（其中独有 11.5B），普通生成不需要它们。',
    })
  else if (hub !== null) sentences.push({ en: `The hub shows ${hub}.`, zh: `模型站点显示 ${hub}。` })
  if (extra !== null && hub !== '685B') {
    const { en, zh } = phrase(extra)
    sentences.push({ en: `Beside them: ${en}.`, zh: `另有：${zh}。` })
  }
  sentences.push({ en: `Published as ${weights.format}.`, zh: `发布格式：${weights.format}。` })
  return joined(sentences)
}

/** What it is good for, and what not. */
export function useText(model: CatalogueModel): Localized {
  const tasks = tasksText(model)
  if (model.use !== 'base') return { en: `Good for: ${tasks.en}.`, zh: `适合：${tasks.zh}。` }
  const fim = model.template?.includes('fill-in-the-middle') === true
  return {
    en: `A base model: for fine-tuning and completion${fim ? ', code in the middle of a file too' : ''}. It does not follow instructions.`,
    zh: `基座模型：用于微调和补全${fim ? '，也能补全文件中间的代码' : ''}，不会遵循指令。`,
  }
}

/** The maker's advice on temperature and top_p. */
export function samplingText({ sampling }: CatalogueModel): Localized | undefined {
  const { temperature, topP, note } = sampling
  if (temperature === null && topP === null && note === null) return undefined
  const values = (word: string): string[] => [
    ...(temperature === null ? [] : [`${word} ${temperature}`]),
    ...(topP === null ? [] : [`top_p ${topP}`]),
  ]
  const remark = note === null ? undefined : phrase(note)
  const text = (word: string, comma: string, semicolon: string, rest: string | undefined): string =>
    [values(word).join(comma), rest ?? ''].filter((item) => item !== '').join(semicolon)
  return { en: `${text('temperature', ', ', '; ', remark?.en)}.`, zh: `${text('温度', '，', '；', remark?.zh)}。` }
}

/** Whether to give a system prompt. Undefined for base models and where nothing is known. */
export function systemPromptText({ systemPrompt, systemAdvice, use }: CatalogueModel): Localized | undefined {
  if (systemAdvice !== null) return phrase(systemAdvice)
  if (use === 'base' || systemPrompt === 'unknown') return undefined
  if (systemPrompt === 'yes') return { en: 'It takes a system prompt.', zh: '支持系统提示词。' }
  return { en: 'Do not use a system prompt: put instructions into the user turn.', zh: '不要使用系统提示词，请将要求写在用户消息中。' }
}

export function thinkingText({ thinking }: CatalogueModel): Localized | undefined {
  switch (thinking) {
    case 'always':
      return {
        en: 'It always thinks before it answers; leave room for thousands of tokens.',
        zh: '它总是先思考再回答，请预留数千个 token。',
      }
    case 'switch':
      return { en: 'It thinks or answers at once, as the request says.', zh: '可按请求选择思考或直接回答。' }
    case 'effort':
      return { en: 'Thinking can be switched, with named levels of effort.', zh: '可开关思考，并可选择思考强度等级。' }
    case 'effort-number':
      return { en: 'Thinking can be switched, with an effort from 1 to 100.', zh: '可开关思考，思考强度为 1 到 100。' }
    case null:
      return undefined
  }
}

export interface EngineSupport {
  engine: string
  supported: 'yes' | 'partly' | 'no'
  note?: Localized
}

/** llama.cpp first. */
export function engineSupport({ llamaCpp, engines }: CatalogueModel): EngineSupport[] {
  const remark = engines['llama_cpp']
  const supported = ({ yes: 'yes', partly: 'partly', fork: 'partly', no: 'no' } as const)[llamaCpp.support]
  const note = typeof remark === 'string' ? remarkOf(remark) : LLAMA_CPP_NOTES[llamaCpp.support]
  const others = Object.entries(engines).filter(([engine]) => engine !== 'llama_cpp')
  return [
    { engine: 'llama.cpp', supported, ...(note ? { note } : {}) },
    ...others.map(([engine, value]): EngineSupport => {
      if (typeof value === 'boolean') return { engine, supported: value ? 'yes' : 'no' }
      if (value === 'yes') return { engine, supported: 'yes' }
      return { engine, supported: value.startsWith('not ') ? 'no' : 'yes', note: remarkOf(value) }
    }),
  ]
}

/** `yes (since …)` stands in a list of those that do: the `yes` goes without saying. */
function remarkOf(text: string): Localized {
  const { en, zh } = phrase(text)
  return { en: en.replace(/^yes \((.*)\)$/, '$1').replace(/^yes /, ''), zh: zh.replace(/^支持（(.*)）$/, '$1') }
}

const ENGINE_NAMES: Readonly<Record<string, string>> = {
  vllm: 'vLLM',
  sglang: 'SGLang',
  ollama: 'Ollama',
  ktransformers: 'KTransformers',
  tensorrt_llm: 'TensorRT-LLM',
  mlx: 'MLX',
  ik_llama_cpp: 'ik_llama.cpp',
}

const LLAMA_CPP_NOTES: Readonly<Record<CatalogueModel['llamaCpp']['support'], Localized | undefined>> = {
  yes: undefined,
  partly: { en: 'understands images only, from a converted community repository', zh: '仅支持图像理解，须使用社区转换的仓库' },
  fork: { en: 'only in forks or an open pull request', zh: '仅在分支或未合并的 PR 中支持' },
  no: undefined,
}

export function enginesText(model: CatalogueModel): Localized {
  const all = engineSupport(model)
  const list = (wanted: boolean, language: 'en' | 'zh'): string =>
    all
      .filter(({ supported }) => (supported !== 'no') === wanted)
      .map(({ engine, note }) => {
        const name = ENGINE_NAMES[engine] ?? engine
        return note ? `${name} (${note[language]})` : name
      })
      .join(', ')
  const [runs, lacks] = [list(true, 'en'), list(false, 'en')]
  return joined([
    ...(runs === '' ? [] : [{ en: `Runs on ${runs}.`, zh: `可用引擎：${list(true, 'zh')}。` }]),
    ...(lacks === '' ? [] : [{ en: `Not on ${lacks}.`, zh: `不支持：${list(false, 'zh')}。` }]),
  ])
}

/** Nothing guessed is shown as known. */
export function verificationText(model: CatalogueModel): Localized {
  const { en, zh } = phrase(model.verification)
  const sources = model.sources.map((key) => SOURCES[key]).join('; ')
  return { en: `${en}. Sources: ${sources}.`, zh: `${zh}。来源：${sources}。` }
}

export function isVerified({ verification, sources }: CatalogueModel): boolean {
  return verification === 'config verified' && !sources.includes('recalled')
}

function joined(sentences: readonly Localized[]): Localized {
  return { en: sentences.map(({ en }) => en).join(' '), zh: sentences.map(({ zh }) => zh).join('') }
}
