import { formatBytes } from '../../base/bytes.ts'
import { describeCatalogueModel, searchCatalogue } from '../../platform/catalogue.ts'
import type { CatalogueAnswer, CatalogueItem, CatalogueModelDetail } from '../../shared/api.ts'
import type { Localized } from '../../shared/language.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { nearest } from '../suggest.ts'
import { padToWidth, textWidth, wrapToWidth } from '../text-width.ts'

export const models = defineCommand({
  name: 'models',
  summary: { en: 'Which models exist: search the catalogue', zh: '有哪些模型：搜索模型目录' },
  positionals: [
    {
      name: 'QUERY',
      rest: true,
      description: { en: 'A name (tells everything about it), or words to look for', zh: '名称（显示详情），或要搜索的词' },
    },
  ],
  flags: {
    family: { type: 'text', value: 'NAME', description: { en: 'Only this family, e.g. DeepSeek-R1', zh: '只列该系列，如 DeepSeek-R1' } },
    task: {
      type: 'text',
      value: 'TASK',
      description: {
        en: 'Good for: chat, code, math, reasoning, documents, vision, images, proof',
        zh: '用途：chat、code、math、reasoning、documents、vision、images、proof',
      },
    },
    maxSize: {
      type: 'text',
      value: 'SIZE',
      description: { en: 'At most: 8B (parameters) or 10GB (download)', zh: '上限：8B（参数量）或 10GB（下载大小）' },
    },
  },
  settings: [],
  examples: ['bendi models r1 --max-size 10GB', 'bendi models --task code', 'bendi models DeepSeek-R1-Distill-Qwen-7B'],
  run({ output, flags, positionals }) {
    const q = positionals['QUERY']
    const { family, task, maxSize } = flags
    const answer = searchCatalogue({ ...given({ q, family, task, maxSize }) })
    const [first] = answer.models
    const isNamed = first !== undefined && q !== undefined && names(first).includes(q.trim().toLowerCase())
    // Words that only one model has: a person wants to know all; a program wants the same form as for two.
    const isOnly = answer.models.length === 1 && !output.json
    if (first !== undefined && (isNamed || isOnly))
      showOne(describeCatalogueModel(isNamed ? q : first.repository), isNamed ? q : '', output)
    else showList(answer, q ?? '', output)
    return Promise.resolve(answer.models.length === 0 ? EXIT.userError : EXIT.ok)
  },
})

function given(query: Record<'q' | 'family' | 'task' | 'maxSize', string | undefined>): Parameters<typeof searchCatalogue>[0] {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}

function names({ id, repository, shortNames }: CatalogueItem): string[] {
  return [id, repository, ...shortNames].map((name) => name.toLowerCase())
}

function showList(answer: CatalogueAnswer, asked: string, output: Output): void {
  output.result(answer)
  if (answer.models.length === 0) return showNothing(answer, asked, output)
  output.table(
    COLUMNS,
    answer.models.map((item) => [
      item.id,
      item.shortNames[0] ?? '',
      item.context === undefined ? '?' : contextText(item.context),
      item.downloadBytes === undefined ? '?' : `~${formatBytes(item.downloadBytes)}`,
      `${output.say(item.license)}${item.verified ? '' : ' *'}`,
      output.say(item.summary),
    ]),
  )
  output.note({
    en: '\nPULL AS: bendi pull NAME. Sizes are of a 4-bit file where one exists. * = not every number was verified. More: bendi models MODEL',
    zh: '\n“下载名”：bendi pull 名称。大小指 4 位文件（如有）。* 表示并非所有数字都已核实。详情：bendi models 模型',
  })
}

const COLUMNS = [
  { title: { en: 'MODEL', zh: '模型' } },
  { title: { en: 'PULL AS', zh: '下载名' } },
  { title: { en: 'CONTEXT', zh: '上下文' }, align: 'right' },
  { title: { en: 'DOWNLOAD', zh: '下载' }, align: 'right' },
  { title: { en: 'LICENCE', zh: '许可证' }, mayCut: true },
  { title: { en: 'WHAT IT IS', zh: '说明' }, mayCut: true },
] as const

/** `131072` → `128K`. */
function contextText(tokens: number): string {
  return tokens >= 2 ** 20 ? `${tokens / 2 ** 20}M` : `${Math.round(tokens / 1024)}K`
}

function showNothing({ name, suggestions }: CatalogueAnswer, asked: string, output: Output): void {
  output.note({ en: 'The catalogue has no such model.', zh: '目录中没有这样的模型。' })
  if (name) {
    output.note({ en: 'What its name says:', zh: '名称的含义：' })
    for (const { text, meaning } of name) output.note(`  ${text}  ${output.say(meaning)}`)
  }
  const meant = suggestions ? undefined : spelt(asked)
  if (meant) output.note({ en: `Did you mean: bendi models ${meant}`, zh: `是否想用：bendi models ${meant}` })
  if (suggestions) output.note({ en: `Near: ${suggestions.join(', ')}`, zh: `相近的有：${suggestions.join('、')}` })
}

/** The words, each as the nearest of the catalogue's; undefined when they are right, or near to nothing. */
function spelt(asked: string): string | undefined {
  const known = new Set(searchCatalogue({}).models.flatMap(({ id, family }) => `${id}-${family}`.toLowerCase().split(/[-_./]+/)))
  const words = asked.trim().toLowerCase().split(/\s+/)
  const meant = words.map((word) =>
    known.has(word)
      ? word
      : nearest(
          word,
          [...known].filter((other) => other.length >= 3),
        ),
  )
  const isHelpful = meant.every((word) => word !== undefined) && meant.join(' ') !== words.join(' ')
  return isHelpful ? meant.join(' ') : undefined
}

/** Also what `bendi show` prints for a model that is not here. */
export function showOne(model: CatalogueModelDetail, asked: string, output: Output): void {
  output.result(model)
  if (output.json) return
  printRows(output, [
    [{ en: 'Model', zh: '模型' }, output.bold(model.repository)],
    [{ en: 'What it is', zh: '说明' }, output.say(model.summary)],
    [{ en: 'Family', zh: '系列' }, `${model.family} (${model.released})`],
    [{ en: 'Pull as', zh: '下载名' }, model.shortNames.join(', ') || '–'],
    [{ en: 'Context', zh: '上下文' }, model.context === undefined ? '?' : `${model.context.toLocaleString('en-US')} token`],
    [{ en: 'Download', zh: '下载' }, model.downloadBytes === undefined ? '?' : `~${formatBytes(model.downloadBytes)}`],
    [{ en: 'Licence', zh: '许可证' }, `${output.say(model.license)} – ${output.say(COMMERCIAL[model.commercial])}`],
    [{ en: 'GGUF files', zh: 'GGUF 文件' }, model.gguf.join(', ') || '–'],
  ])
  if (model.pullMeans && model.pullMeans.repository !== model.id) {
    const { repository, description } = model.pullMeans
    output.note({
      en: `\nAs a short name it is another model: bendi pull ${asked} takes ${repository} (${description.en}).`,
      zh: `\n作为下载名它指另一个模型：bendi pull ${asked} 下载的是 ${repository}（${description.zh}）。`,
    })
  }
  output.line('')
  printRows(
    output,
    model.explanations.map(({ topic, text }) => [TOPICS[topic] ?? { en: topic, zh: topic }, output.say(text).replaceAll('\n', ' ')]),
  )
  output.line('')
  printRows(
    output,
    model.name.map(({ text, meaning }) => [{ en: text, zh: text }, output.say(meaning)]),
  )
}

const COMMERCIAL: Readonly<Record<CatalogueItem['commercial'], Localized>> = {
  yes: { en: 'commercial use allowed', zh: '可商用' },
  conditions: { en: 'commercial use with conditions', zh: '有条件商用' },
  check: { en: 'check before commercial use', zh: '商用前请核对许可证' },
}

const TOPICS: Readonly<Record<string, Localized>> = {
  lineage: { en: 'Lineage', zh: '来历' },
  parameters: { en: 'Parameters', zh: '参数量' },
  use: { en: 'Use', zh: '用途' },
  license: { en: 'Licence', zh: '许可证' },
  sampling: { en: 'Sampling', zh: '采样' },
  'system-prompt': { en: 'System prompt', zh: '系统提示词' },
  thinking: { en: 'Thinking', zh: '思考' },
  engines: { en: 'Engines', zh: '引擎' },
  notes: { en: 'Notes', zh: '备注' },
  verification: { en: 'Verified', zh: '核实情况' },
}

function printRows(output: Output, rows: readonly (readonly [Localized, string])[]): void {
  const titles = rows.map(([title]) => output.say(title))
  const width = Math.max(0, ...titles.map(textWidth))
  rows.forEach(([, value], index) =>
    wrapToWidth(value, Math.max(20, output.columns - width - 3)).forEach((part, at) =>
      output.line(`${padToWidth(at === 0 ? (titles[index] ?? '') : '', width)}  ${part}`),
    ),
  )
}
