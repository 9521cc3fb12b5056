import path from 'node:path'
import { formatBytes } from '../../base/bytes.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { EXIT } from '../exit-codes.ts'
import { followCopy } from '../follow-copy.ts'

export const importCommand = defineCommand({
  name: 'import',
  summary: { en: 'Take models from a folder into the library', zh: '从目录导入模型' },
  positionals: [
    {
      name: 'FOLDER',
      required: true,
      description: { en: 'An exported folder, or any with GGUF files', zh: '导出的目录，或任何含 GGUF 文件的目录' },
    },
  ],
  flags: {
    inPlace: { type: 'boolean', description: { en: 'Use the files where they lie; nothing is copied', zh: '就地使用，不复制文件' } },
  },
  settings: ['modelFolders'],
  examples: ['bendi import /media/usb', 'bendi import /mnt/nfs/models --in-place'],
  async run(context) {
    const { output, positionals, io, flags } = context
    const folder = path.resolve(io.cwd, positionals['FOLDER'] ?? '')
    const backend = await connect(context, 'write')
    try {
      const models = await followCopy(context, (follow) => backend.importModels(folder, flags.inPlace, follow))
      output.result(models)
      for (const model of models)
        output.note({
          en: `${model.name} is here (${formatBytes(model.bytes)}).`,
          zh: `${model.name} 已就绪（${formatBytes(model.bytes)}）。`,
        })
      if (models.length > 0) return undefined
      output.note({ en: `There is no model in ${folder}.`, zh: `${folder} 中没有模型。` })
      return EXIT.userError
    } finally {
      await backend.close()
    }
  },
})
