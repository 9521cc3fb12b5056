import { formatBytes } from '../../base/bytes.ts'
import { defineCommand } from '../command.ts'
import { connect } from '../connect.ts'

export const du = defineCommand({
  name: 'du',
  summary: { en: 'What models take on the disks', zh: '模型占用的磁盘空间' },
  settings: ['modelFolders'],
  async run(context) {
    const { output } = context
    const backend = await connect(context, 'read')
    try {
      const { models, folders } = await backend.diskUsage()
      output.result({ models, folders })
      output.table(
        MODEL_COLUMNS,
        models
          .toSorted((a, b) => b.bytes - a.bytes)
          .map((model) => [formatBytes(model.bytes), formatBytes(model.linkedBytes), model.name, model.path]),
      )
      if (!output.json) output.line('')
      output.table(
        FOLDER_COLUMNS,
        folders.map((folder) => [
          formatBytes(folder.modelBytes),
          formatBytes(folder.unfinishedBytes),
          formatBytes(folder.freeBytes),
          folder.path,
        ]),
      )
    } finally {
      await backend.close()
    }
  },
})

const MODEL_COLUMNS = [
  { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
  { title: { en: 'SHARED', zh: '共享' }, align: 'right' },
  { title: { en: 'MODEL', zh: '模型' } },
  { title: { en: 'PATH', zh: '路径' } },
] as const

const FOLDER_COLUMNS = [
  { title: { en: 'MODELS', zh: '模型' }, align: 'right' },
  { title: { en: 'UNFINISHED', zh: '未完成' }, align: 'right' },
  { title: { en: 'FREE', zh: '可用' }, align: 'right' },
  { title: { en: 'FOLDER', zh: '目录' } },
] as const
