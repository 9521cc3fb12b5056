import { formatBytes } from '../../base/bytes.ts'
import type { Verification } from '../../shared/api.ts'
import { NETWORK_SETTINGS, defineCommand } from '../command.ts'
import { openLocalPlatform } from '../connect.ts'
import { EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'

export const verify = defineCommand({
  name: 'verify',
  summary: { en: 'Check that a model is what was published', zh: '校验模型与发布内容是否一致' },
  positionals: [{ name: 'MODEL', required: true, description: { en: 'Its name or reference', zh: '名称或引用' } }],
  settings: NETWORK_SETTINGS,
  examples: ['bendi verify deepseek-r1:1.5b', 'bendi verify deepseek-r1:1.5b --offline'],
  async run(context) {
    const { output, positionals, signal } = context
    // It only reads, so it needs no server and no lock.
    const platform = await openLocalPlatform(context)
    try {
      let toldAt = 0
      const result = await platform.care.verify(positionals['MODEL'] ?? '', {
        signal,
        onProgress: ({ doneBytes, totalBytes }) => {
          if (!output.isInteractive || Date.now() - toldAt < 200) return
          toldAt = Date.now()
          output.status(`\r\u001b[K${formatBytes(doneBytes)} / ${formatBytes(totalBytes)}`)
        },
      })
      if (output.isInteractive) output.status('\r\u001b[K')
      output.result(result)
      print(result, output)
      return result.ok ? undefined : EXIT.userError
    } finally {
      await platform.close(0)
    }
  },
})

const STATES: Record<Verification['files'][number]['state'], { en: string; zh: string }> = {
  ok: { en: 'right', zh: '正确' },
  damaged: { en: 'DAMAGED', zh: '已损坏' },
  'differs-from-published': { en: 'not what is published now', zh: '与当前发布的不同' },
  unknown: { en: 'nothing to compare with', zh: '无可比对' },
}

function print(result: Verification, output: Output): void {
  output.table(
    COLUMNS,
    result.files.map((file) => [output.say(STATES[file.state]), formatBytes(file.bytes), file.sha256, file.path]),
  )
  if (result.publishedBy !== undefined)
    output.note({ en: `Compared with what ${result.publishedBy} publishes.`, zh: `已与 ${result.publishedBy} 发布的内容比对。` })
  else
    output.note({
      en: `Compared with the manifest only (${result.offlineReason?.en ?? 'offline'}).`,
      zh: `仅与清单比对（${result.offlineReason?.zh ?? '离线'}）。`,
    })
  if (!result.ok)
    output.note({ en: `Get it again: bendi pull --force ${result.model}`, zh: `重新下载：bendi pull --force ${result.model}` })
}

const COLUMNS = [
  { title: { en: 'STATE', zh: '状态' } },
  { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
  { title: { en: 'SHA256', zh: 'SHA256' } },
  { title: { en: 'FILE', zh: '文件' } },
] as const
