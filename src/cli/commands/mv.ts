import path from 'node:path'
import { defineCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { followCopy } from '../follow-copy.ts'

export const mv = defineCommand({
  name: 'mv',
  summary: { en: 'Move a model to another folder, e.g. on another disk', zh: '将模型移到其他目录，例如另一块磁盘' },
  positionals: [
    { name: 'MODEL', required: true, description: { en: 'Its name or reference', zh: '名称或引用' } },
    { name: 'FOLDER', required: true, description: { en: 'A folder of models', zh: '模型目录' } },
  ],
  settings: ['modelFolders'],
  examples: ['bendi mv deepseek-r1:7b /mnt/disk2/models'],
  async run(context) {
    const { output, positionals, io } = context
    const folder = path.resolve(io.cwd, positionals['FOLDER'] ?? '')
    const backend = await connect(context, 'write')
    try {
      const model = await followCopy(context, (follow) => backend.moveModel(positionals['MODEL'] ?? '', folder, follow))
      output.result(model)
      output.note({ en: `${model.name} lies in ${folder} now.`, zh: `${model.name} 已移到 ${folder}。` })
    } finally {
      await backend.close()
    }
  },
})
