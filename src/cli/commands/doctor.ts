import path from 'node:path'
import type { Finding } from '../../shared/api.ts'
import { NETWORK_SETTINGS, defineCommand } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { connect } from '../connect.ts'
import { EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'

export const doctor = defineCommand({
  name: 'doctor',
  summary: { en: 'Look for what could go wrong here, with remedies', zh: '检查本机环境并给出解决办法' },
  flags: {
    report: {
      type: 'text',
      value: 'FILE',
      description: {
        en: 'Write all that supporters need into one file, without keys, names and addresses',
        zh: '将支持人员所需的信息写入一个文件，不含密钥、姓名与地址',
      },
    },
    force: { type: 'boolean', description: { en: 'Overwrite the file of the report', zh: '覆盖已有的报告文件' } },
  },
  settings: ['host', 'port', 'kernel', 'gpuLayers', ...NETWORK_SETTINGS],
  examples: ['bendi doctor', 'bendi doctor --report bendi-report.json', 'bendi doctor --json --offline'],
  async run(context) {
    const { output, flags } = context
    const report = flags.report === undefined ? undefined : await prepareReport(context, flags.report, flags.force)
    const backend = await connect(context, 'read')
    try {
      const findings = await backend.doctor()
      output.result(findings)
      if (!output.json) for (const finding of findings) printFinding(finding, output)
      await report?.(findings)
      // What is merely slow or missing for other engines must not fail a script.
      return findings.some(({ level }) => level === 'problem') ? EXIT.userError : EXIT.ok
    } finally {
      await backend.close()
    }
  },
})

/** Refuses a file that exists before everything is examined, which takes seconds. The answer writes the report. */
async function prepareReport(context: CommandContext, name: string, force: boolean): Promise<(findings: Finding[]) => Promise<void>> {
  const { io, config, paths, version, output } = context
  const { checkReportFile, writeReport } = await import('../../platform/doctor-report.ts')
  const file = path.resolve(io.cwd, name)
  await checkReportFile(file, { force })
  return async (findings) => {
    await writeReport(file, { findings, config, paths, version }, { force })
    output.note({ en: `Report: ${file} (look through it before you send it)`, zh: `报告：${file}（发送前请先查看内容）` })
  }
}

const MARKS: Record<Finding['level'], string> = { ok: '✓', warning: '!', problem: '✗' }

function printFinding({ level, title, detail, remedy }: Finding, output: Output): void {
  output.line(`${MARKS[level]} ${output.bold(output.say(title))}: ${output.say(detail)}`)
  if (remedy && level !== 'ok') output.line(`  → ${output.say(remedy)}`)
}
