import { formatBytes } from '../../base/bytes.ts'
import type { Model } from '../../shared/api.ts'
import type { Localized } from '../../shared/language.ts'
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
      if (model.source === 'file') return output.note(forgottenText(model))
      output.note({
        en: `Deleted ${model.name} (${formatBytes(model.bytes)}).`,
        zh: `已删除 ${model.name}（${formatBytes(model.bytes)}）。`,
      })
    } finally {
      await backend.close()
    }
  },
})

function forgottenText({ files }: Model): Localized {
  const where = files.map(({ path }) => path).join(', ')
  return { en: `Forgotten; the file stays where it is: ${where}`, zh: `已从模型库移除；文件保留在原处：${where}` }
}
