import type { Finding } from '../../shared/api.ts'
import { NETWORK_SETTINGS, defineCommand } from '../command.ts'
import { connect } from '../connect.ts'
import { EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'

export const doctor = defineCommand({
  name: 'doctor',
  summary: { en: 'Look for what could go wrong here, with remedies', zh: '检查本机环境并给出解决办法' },
  settings: ['host', 'port', 'kernel', 'gpuLayers', ...NETWORK_SETTINGS],
  async run(context) {
    const { output } = context
    const backend = await connect(context, 'read')
    try {
      const findings = await backend.doctor()
      output.result(findings)
      if (!output.json) for (const finding of findings) printFinding(finding, output)
      return findings.some(({ level }) => level === 'problem') ? EXIT.userError : EXIT.ok
    } finally {
      await backend.close()
    }
  },
})

const MARKS: Record<Finding['level'], string> = { ok: '✓', warning: '!', problem: '✗' }

function printFinding({ level, title, detail, remedy }: Finding, output: Output): void {
  output.line(`${MARKS[level]} ${output.bold(output.say(title))}: ${output.say(detail)}`)
  if (remedy && level !== 'ok') output.line(`  → ${output.say(remedy)}`)
}
