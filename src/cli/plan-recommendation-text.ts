/** A recommendation for people, and the table of the R1 family. */
import { formatBytes } from '../base/bytes.ts'
import { r1FamilyTable } from '../platform/plan-table.ts'
import type { RecommendReport } from '../shared/plan.ts'
import type { Output } from './output.ts'
import { rangeText } from './plan-text.ts'

const COLUMNS = [
  { title: { en: '', zh: '' }, align: 'right' },
  { title: { en: 'MODEL', zh: '模型' } },
  { title: { en: 'AS', zh: '量化' } },
  { title: { en: 'MEMORY', zh: '内存占用' }, align: 'right' },
  { title: { en: 'TOKENS/S', zh: '速度' }, align: 'right' },
  { title: { en: 'CONTEXT', zh: '最长上下文' }, align: 'right' },
  { title: { en: 'PULL AS', zh: '下载名' } },
] as const

export function printRecommendation(report: RecommendReport, output: Output): void {
  const { say, line } = output
  const { models, instead, machine } = report
  const cards =
    machine.gpus.length > 0
      ? `${[...new Set(machine.gpus)].map((name) => `${machine.gpus.filter((gpu) => gpu === name).length} × ${name}`).join(' + ')}, `
      : ''
  line(
    say({
      en: `For ${report.for}, ${report.users} user(s), ${report.context} tokens, on ${cards}${formatBytes(machine.memoryBytes)} of memory:`,
      zh: `用途 ${report.for}，${report.users} 个用户，${report.context} token，机器：${cards}${formatBytes(machine.memoryBytes)} 内存`,
    }),
  )
  line('')
  if (models.length > 0)
    output.table(
      COLUMNS,
      models.map((model, index) => [
        String(index + 1),
        model.title,
        model.quantization,
        formatBytes(model.total),
        model.speed ? rangeText(model.speed) : '?',
        model.largestContext.toLocaleString('en-US'),
        model.pull ?? '–',
      ]),
    )
  models
    .slice(0, 3)
    .forEach((model, index) => line(`${index + 1}. ${model.title}: ${model.reasons.map(say).join(say({ en: '; ', zh: '；' }))}`))
  if (instead) printInstead(instead, output)
  else
    output.note({ en: '\nSpeeds are estimates. Details: bendi plan NAME --explain', zh: '\n速度为估算值。详情：bendi plan 名称 --explain' })
}

function printInstead({ text, hosted, hardware }: NonNullable<RecommendReport['instead']>, output: Output): void {
  output.line(output.bold(output.say(text)))
  for (const { name, note } of hosted) output.line(`  ${name}: ${output.say(note)}`)
  for (const { gpu, model } of hardware) output.line(`  ${model}: ${gpu}`)
}

export function printR1Table(output: Output): void {
  const { rows, myths } = r1FamilyTable()
  output.result({ rows, myths })
  if (output.json) return
  output.table(
    [
      { title: { en: 'MODEL', zh: '模型' } },
      { title: { en: 'WHAT IT IS', zh: '实际是' } },
      { title: { en: 'FORMAT', zh: '格式' } },
      { title: { en: 'WEIGHTS', zh: '权重' }, align: 'right' },
      { title: { en: 'WITH 4K', zh: '4K 合计' }, align: 'right' },
      { title: { en: '32K', zh: '32K' }, align: 'right' },
      { title: { en: '128K', zh: '128K' }, align: 'right' },
      { title: { en: 'KV AT 128K', zh: '128K 的 KV' }, align: 'right' },
    ],
    rows.map(({ model, what, format, quantization, weights, sizes }) => [
      model,
      output.say(what),
      `${format} (${quantization})`,
      formatBytes(weights),
      ...sizes.map(({ total }) => formatBytes(total)),
      formatBytes(sizes.at(-1)?.kv ?? 0),
    ]),
  )
  output.line('')
  output.line(
    output.say({
      en: 'GB are 10^9 bytes; one user, cache in f16, llama.cpp. R1 was released in FP8 (688.6 GB); FP16 is a copy.',
      zh: 'GB 为 10^9 字节；单用户，f16 缓存，llama.cpp。R1 发布时即为 FP8（688.6 GB），FP16 为转换副本。',
    }),
  )
  output.line('')
  for (const { myth, fact } of myths) output.line(`✗ ${output.say(myth)}\n  → ${output.say(fact)}`)
}
