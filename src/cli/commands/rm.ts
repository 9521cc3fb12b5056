import { formatBytes } from '../../base/bytes.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../connect.ts'

export const rm = defineCommand({
  name: 'rm',
  summary: { en: 'Delete a model', zh: '删除模型' },
  positionals: [{ name: 'MODEL', required: true, description: { en: 'Its name or reference', zh: '名称或引用' } }],
  settings: [],
  async run(context) {
    const { output, positionals } = context
    const backend = await connect(context, 'write')
    try {
      const model = await backend.removeModel(positionals['MODEL'] ?? '')
      output.result(model)
      output.note({
        en: `Deleted ${model.name} (${formatBytes(model.bytes)}).`,
        zh: `已删除 ${model.name}（${formatBytes(model.bytes)}）。`,
      })
    } finally {
      await backend.close()
    }
  },
})
