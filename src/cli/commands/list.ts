import { formatBytes } from '../../base/bytes.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { countText, dateText } from '../number-text.ts'

export const list = defineCommand({
  name: 'list',
  summary: { en: 'Models in the library', zh: '列出模型库中的模型' },
  settings: [],
  async run(context) {
    const { output } = context
    const backend = await connect(context, 'read')
    try {
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
    } finally {
      await backend.close()
    }
  },
})

const COLUMNS = [
  { title: { en: 'NAME', zh: '名称' } },
  { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
  { title: { en: 'PARAMETERS', zh: '参数量' }, align: 'right' },
  { title: { en: 'QUANTISATION', zh: '量化' } },
  { title: { en: 'ADDED', zh: '添加时间' } },
] as const
