import { formatBytes } from '../../base/bytes.ts'
import type { FoundModel } from '../../shared/api.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { countText, dateText } from '../number-text.ts'
import type { Output } from '../output.ts'

export const list = defineCommand({
  name: 'list',
  summary: { en: 'Models in the library', zh: '列出模型库中的模型' },
  settings: ['modelFolders', 'useStores', 'hfCache', 'ollamaModels', 'lmStudioModels'],
  flags: {
    found: {
      type: 'boolean',
      description: {
        en: 'Only what other programs have (Hugging Face cache, Ollama, LM Studio)',
        zh: '仅列出其他程序已有的模型（Hugging Face 缓存、Ollama、LM Studio）',
      },
    },
  },
  async run(context) {
    const { output, flags } = context
    const backend = await connect(context, 'read')
    try {
      const found = flags.found || !output.json ? await backend.listFound().catch(() => []) : []
      if (flags.found) {
        output.result(found)
        return printFound(found, output)
      }
      const models = await backend.listModels()
      output.result(models)
      if (models.length === 0)
        output.note({ en: 'No models yet. Download one: bendi pull deepseek-r1:1.5b', zh: '还没有模型。下载：bendi pull deepseek-r1:1.5b' })
      else
        output.table(
          COLUMNS,
          models.map((model) => [
            model.name,
            formatBytes(model.bytes),
            countText(model.parameters),
            model.quantization,
            dateText(model.addedAt),
          ]),
        )
      if (found.length > 0)
        output.note({
          en: `Other programs have ${found.length} more here; pulling one links it. See: bendi list --found`,
          zh: `其他程序在本机还有 ${found.length} 个模型；下载时会直接链接。查看：bendi list --found`,
        })
    } finally {
      await backend.close()
    }
  },
})

function printFound(found: readonly FoundModel[], output: Output): void {
  if (found.length === 0) return output.note({ en: 'No other program has models here.', zh: '未发现其他程序的模型。' })
  output.table(
    FOUND_COLUMNS,
    found.map((item) => [item.store, item.name, formatBytes(item.bytes), item.path]),
  )
  output.note({ en: 'Use one as it is: bendi pull file:PATH', zh: '直接使用：bendi pull file:PATH' })
}

const FOUND_COLUMNS = [
  { title: { en: 'STORE', zh: '来源' } },
  { title: { en: 'NAME', zh: '名称' } },
  { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
  { title: { en: 'PATH', zh: '路径' } },
] as const

const COLUMNS = [
  { title: { en: 'NAME', zh: '名称' } },
  { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
  { title: { en: 'PARAMETERS', zh: '参数量' }, align: 'right' },
  { title: { en: 'QUANTISATION', zh: '量化' } },
  { title: { en: 'ADDED', zh: '添加时间' } },
] as const
