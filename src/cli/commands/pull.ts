import path from 'node:path'
import { formatBytes } from '../../base/bytes.ts'
import { NETWORK_SETTINGS, defineCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { followPull, pullSettings } from '../follow-pull.ts'

export const pull = defineCommand({
  name: 'pull',
  summary: { en: 'Download a model', zh: '下载模型' },
  positionals: [
    {
      name: 'REF',
      required: true,
      description: {
        en: 'deepseek-r1:1.5b, hf:org/repo:Q4_K_M, ms:org/repo, pypi:name, file:PATH, peer:host/name, https://…',
        zh: 'deepseek-r1:1.5b、hf:org/repo:Q4_K_M、ms:org/repo、pypi:name、file:PATH、peer:主机/名称、https://…',
      },
    },
  ],
  flags: {
    force: { type: 'boolean', description: { en: 'Download again what is here already', zh: '已有也重新下载' } },
    include: {
      type: 'text',
      value: 'GLOBS',
      description: { en: 'Only files that match, separated by commas, e.g. *.gguf', zh: '仅下载匹配的文件，以逗号分隔，例如 *.gguf' },
    },
    exclude: { type: 'text', value: 'GLOBS', description: { en: 'Not the files that match', zh: '不下载匹配的文件' } },
    to: {
      type: 'text',
      value: 'FOLDER',
      description: { en: 'Keep it in this folder, e.g. on another disk', zh: '保存到此目录，例如另一块磁盘' },
    },
  },
  settings: ['context', ...NETWORK_SETTINGS],
  examples: [
    'bendi pull deepseek-r1:1.5b',
    'bendi pull hf:org/repo:Q4_K_M --limit-rate 10MB',
    'bendi pull peer:192.168.1.20/deepseek-r1:7b --to /mnt/disk2/models',
  ],
  async run(context) {
    const { output, io, signal, flags, positionals, config } = context
    const backend = await connect(context, 'write')
    try {
      const wishes = {
        force: flags.force,
        ...(flags.include === undefined ? {} : { include: globsIn(flags.include) }),
        ...(flags.exclude === undefined ? {} : { exclude: globsIn(flags.exclude) }),
        ...pullSettings(config),
        ...(flags.to === undefined ? {} : { to: path.resolve(io.cwd, flags.to) }),
      }
      const model = await followPull(positionals['REF'] ?? '', { backend, output, columns: io.columns, signal, wishes })
      output.result(model)
      output.note({
        en: `${model.name} is here (${formatBytes(model.bytes)}).`,
        zh: `${model.name} 已就绪（${formatBytes(model.bytes)}）。`,
      })
    } finally {
      await backend.close()
    }
  },
})

function globsIn(text: string): string[] {
  return text
    .split(',')
    .map((pattern) => pattern.trim())
    .filter(Boolean)
}
