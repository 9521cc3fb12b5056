import { formatBytes } from '../../base/bytes.ts'
import { NETWORK_SETTINGS, defineCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { followPull } from '../follow-pull.ts'

export const pull = defineCommand({
  name: 'pull',
  summary: { en: 'Download a model', zh: '下载模型' },
  positionals: [
    {
      name: 'REF',
      required: true,
      description: {
        en: 'deepseek-r1:1.5b, hf:org/repo:Q4_K_M, ms:org/repo, pypi:name, file:PATH, https://…',
        zh: 'deepseek-r1:1.5b、hf:org/repo:Q4_K_M、ms:org/repo、pypi:name、file:PATH、https://…',
      },
    },
  ],
  flags: { force: { type: 'boolean', description: { en: 'Download again what is here already', zh: '已有也重新下载' } } },
  settings: NETWORK_SETTINGS,
  examples: ['bendi pull deepseek-r1:1.5b', 'bendi pull hf:org/repo:Q4_K_M'],
  async run(context) {
    const { output, io, signal, flags, positionals } = context
    const backend = await connect(context, 'write')
    try {
      const model = await followPull(positionals['REF'] ?? '', { backend, output, columns: io.columns, signal, force: flags.force })
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
