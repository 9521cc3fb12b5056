import path from 'node:path'
import { defineCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { followCopy } from '../follow-copy.ts'

export const exportCommand = defineCommand({
  name: 'export',
  summary: { en: 'Copy a model into a plain folder', zh: '将模型导出为普通目录' },
  positionals: [
    { name: 'MODEL', required: true, description: { en: 'Its name or reference', zh: '名称或引用' } },
    { name: 'FOLDER', required: true, description: { en: 'Where the folder is made, e.g. a USB disk', zh: '导出位置，例如 U 盘' } },
  ],
  settings: ['modelFolders'],
  examples: ['bendi export deepseek-r1:7b /media/usb'],
  async run(context) {
    const { output, positionals, io } = context
    const folder = path.resolve(io.cwd, positionals['FOLDER'] ?? '')
    const backend = await connect(context, 'read')
    try {
      const target = await followCopy(context, (follow) => backend.exportModel(positionals['MODEL'] ?? '', folder, follow))
      output.result({ folder: target })
      output.note({
        en: `Copied to ${target}. On the other machine: bendi import ${target}`,
        zh: `已复制到 ${target}。在另一台机器上：bendi import ${target}`,
      })
    } finally {
      await backend.close()
    }
  },
})
