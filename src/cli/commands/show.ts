import { formatBytes } from '../../base/bytes.ts'
import { catalogueModel, describeCatalogueModel } from '../../platform/catalogue.ts'
import { showPath, showRemote } from '../../platform/show.ts'
import type { Model } from '../../shared/api.ts'
import { AppError } from '../../shared/errors.ts'
import type { FileReport } from '../../shared/file-report.ts'
import type { Localized } from '../../shared/language.ts'
import { defineCommand, NETWORK_SETTINGS } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { connect, openLocalPlatform } from '../connect.ts'
import { countText, dateText } from '../number-text.ts'
import type { Output } from '../output.ts'
import { printFileReport } from '../print-file-report.ts'
import { showOne } from './models.ts'
import { padToWidth, textWidth } from '../text-width.ts'

export const show = defineCommand({
  name: 'show',
  summary: { en: 'What a model, a file or a folder really is', zh: '查看模型、文件或目录的实际内容' },
  positionals: [
    {
      name: 'MODEL',
      required: true,
      description: { en: 'A name, a reference (hf:OWNER/NAME), a file or a folder', zh: '名称、引用（hf:OWNER/NAME）、文件或目录' },
    },
  ],
  flags: {
    template: { type: 'boolean', description: { en: 'Print its chat template alone', zh: '只输出对话模板' } },
    tensors: { type: 'boolean', description: { en: 'List every tensor', zh: '列出所有张量' } },
    metadata: { type: 'boolean', description: { en: 'Print the metadata too', zh: '同时输出元数据' } },
  },
  settings: NETWORK_SETTINGS,
  examples: [
    'bendi show deepseek-r1:7b',
    'bendi show model.gguf --tensors',
    'bendi show pytorch_model.bin',
    'bendi show hf:deepseek-ai/DeepSeek-V3',
  ],
  async run(context) {
    const { output, flags, positionals } = context
    const text = positionals['MODEL'] ?? ''
    const { template: onlyTemplate, ...options } = flags
    const report = await showPath(text)
    if (report) return printReport(report, output, { onlyTemplate, ...options })
    if (await showFromLibrary(text, context, onlyTemplate)) return
    const remote = await showRemote(text, context)
    if (remote) return printReport(remote, output, { onlyTemplate, ...options })
    showFromCatalogue(text, output)
  },
})

function printReport(
  report: FileReport,
  output: Output,
  { onlyTemplate, ...options }: { onlyTemplate: boolean; tensors: boolean; metadata: boolean },
): void {
  output.result(report)
  if (output.json) return
  if (onlyTemplate) output.line(report.chatTemplate ?? '')
  else printFileReport(report, output, options)
}

/** False when the library does not have it. */
async function showFromLibrary(text: string, context: CommandContext, onlyTemplate: boolean): Promise<boolean> {
  const { output } = context
  const backend = await connect(context, 'read')
  const local = await openLocalPlatform(context)
  try {
    const model = await backend.showModel(text).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'model-not-found' && text !== 'default') return undefined
      throw error
    })
    if (model === undefined) return false
    const template = await local.chatTemplateOf(model)
    output.result({ ...model, ...(template === undefined ? {} : { chatTemplate: template }) })
    if (onlyTemplate && !output.json) output.line(template ?? '')
    else if (!output.json) printModel(model, template, output)
    return true
  } finally {
    await Promise.all([backend.close(), local.close(0)])
  }
}

/** Throws `unknown-model` with near names. */
function showFromCatalogue(text: string, output: Output): void {
  showOne(describeCatalogueModel(text), text, output)
}

function printModel(model: Model, template: string | undefined, output: Output): void {
  const rows = rowsOf(model, template).map(
    ([title, value]) => [output.say(title), typeof value === 'string' ? value : output.say(value)] as const,
  )
  const width = Math.max(...rows.map(([title]) => textWidth(title)))
  for (const [title, value] of rows) output.line(`${padToWidth(title, width)}  ${value}`)
  output.line('')
  output.table(
    FILE_COLUMNS,
    model.files.map((file) => [file.path, formatBytes(file.bytes), file.sha256 ?? '–']),
  )
}

function rowsOf(model: Model, template: string | undefined): (readonly [Localized, string | Localized])[] {
  return [
    [{ en: 'Name', zh: '名称' }, model.name],
    [{ en: 'What it is', zh: '实际模型' }, model.title],
    [{ en: 'Reference', zh: '引用' }, model.reference],
    [{ en: 'Source', zh: '来源' }, model.revision ? `${model.source} @ ${model.revision}` : model.source],
    [{ en: 'Architecture', zh: '架构' }, model.architecture],
    [{ en: 'Parameters', zh: '参数量' }, countText(model.parameters)],
    [{ en: 'Quantisation', zh: '量化' }, model.quantization],
    [{ en: 'Size', zh: '大小' }, formatBytes(model.bytes)],
    [{ en: 'Trained context', zh: '训练上下文' }, `${model.trainedContext} token`],
    [{ en: 'Licence', zh: '许可证' }, model.license ?? { en: 'not stated', zh: '未注明' }],
    ...knownRows(model),
    [{ en: 'Chat template', zh: '对话模板' }, templateText(template)],
    [{ en: 'Added', zh: '添加时间' }, dateText(model.addedAt)],
  ]
}

/** What the catalogue knows beyond the file: where it comes from, and what its licence needs. */
function knownRows(model: Model): (readonly [Localized, Localized])[] {
  const known = catalogueModel(model.name) ?? catalogueModel(model.title)
  const textOf = (topic: string): Localized | undefined => known?.explanations.find((item) => item.topic === topic)?.text
  const [lineage, license] = [textOf('lineage'), textOf('license')]
  return [
    ...(lineage ? [[{ en: 'Lineage', zh: '来历' }, lineage] as const] : []),
    ...(license ? [[{ en: 'Commercial use', zh: '商用条件' }, license] as const] : []),
  ]
}

function templateText(template: string | undefined): Localized {
  if (template === undefined) return { en: 'none in the file', zh: '文件中没有' }
  return { en: `${template.length} characters (bendi show MODEL --template)`, zh: `${template.length} 字符（bendi show MODEL --template）` }
}

const FILE_COLUMNS = [
  { title: { en: 'FILE', zh: '文件' } },
  { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
  { title: { en: 'SHA256', zh: 'SHA256' } },
] as const
