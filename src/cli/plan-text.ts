/** A plan for people: a bar for each device, what it needs, how fast it is, what to change. */
import { formatBytes } from '../base/bytes.ts'
import type { Localized } from '../shared/language.ts'
import type { PlanDevice, PlanPart, PlanReport, PlanTerm } from '../shared/plan.ts'
import type { Output } from './output.ts'
import { padToWidth, textWidth } from './text-width.ts'

const PARTS: readonly (readonly [part: PlanPart, mark: string, name: Localized])[] = [
  ['weights', '█', { en: 'weights', zh: '权重' }],
  ['experts', '▓', { en: 'experts', zh: '专家' }],
  ['lookup', '▞', { en: 'lookup tables', zh: '查找表' }],
  ['draft', '▚', { en: 'draft', zh: '预测层' }],
  ['kv', '▒', { en: 'KV cache', zh: 'KV 缓存' }],
  ['compute', '░', { en: 'compute', zh: '计算缓冲' }],
  ['overhead', '·', { en: 'overhead', zh: '开销' }],
]

const BASIS: Readonly<Record<PlanReport['terms'][number]['basis'], Localized>> = {
  exact: { en: 'exact', zh: '精确' },
  measured: { en: 'measured', zh: '实测' },
  formula: { en: 'formula', zh: '公式' },
  estimate: { en: 'estimate', zh: '估算' },
}

export function printPlan(report: PlanReport, output: Output, columns: number, explains: boolean): void {
  const { say, line, bold, dim } = output
  const { model, wishes, fits } = report
  line(`${bold(model.title)}  ${say(sizeText(report))}`)
  line(
    `${fits ? '✓' : '✗'} ${say(fits ? { en: 'fits: ', zh: '放得下：' } : { en: 'does not fit: ', zh: '放不下：' })}${say(report.placementText)}`,
  )
  line(say(wishText(wishes)))
  line('')
  printDevices(report, output, columns)
  line('')
  printFacts(report, output)
  if (report.parallelism) line(`${say({ en: 'Start with', zh: '启动命令' })}: ${report.parallelism.command}`)
  printChanges(report, output)
  if (explains) printTerms(report, output)
  for (const note of report.notes) line(dim(`– ${say(note)}`))
}

function sizeText({ model, wishes }: PlanReport): Localized {
  const billions = (count: number): string =>
    count < 1e9 ? `${(count / 1e6).toFixed(0)}M` : `${(count / 1e9).toFixed(count < 1e11 ? 1 : 0)}B`
  const active = model.activeParameters < model.parameters * 0.7 ? billions(model.activeParameters) : undefined
  return {
    en: `${billions(model.parameters)} parameters${active ? `, ${active} for each token` : ''}, ${wishes.quantization}`,
    zh: `${billions(model.parameters)} 参数${active ? `，每 token 激活 ${active}` : ''}，${wishes.quantization}`,
  }
}

function wishText({ context, users, kv, engine }: PlanReport['wishes']): Localized {
  const tokens = context.toLocaleString('en-US')
  return {
    en: `for ${users} ${users === 1 ? 'user' : 'users'} with ${tokens} tokens each, KV cache in ${kv}, engine ${engine}`,
    zh: `${users} 个用户，每人 ${tokens} token，KV 缓存 ${kv}，引擎 ${engine}`,
  }
}

function printDevices({ devices }: PlanReport, output: Output, columns: number): void {
  const rows = grouped(devices).map(({ device, count }) => ({ device, name: deviceName(device, count, output) }))
  const width = Math.max(0, ...rows.map(({ name }) => textWidth(name)))
  const bar = Math.max(10, Math.min(40, columns - width - 30))
  for (const { device, name } of rows) {
    const free = device.usable - device.used
    const text = `${formatBytes(device.used)} / ${formatBytes(device.usable)}`
    const over = free < 0 ? `  ${output.bold(`${output.say({ en: 'missing', zh: '缺' })} ${formatBytes(-free)}`)}` : ''
    output.line(`${padToWidth(name, width)} ${barOf(device, bar)} ${text}${over}`)
  }
  const used = PARTS.filter(([part]) => devices.some((device) => device.parts[part] > 0))
  output.line(`${' '.repeat(width)} ${output.dim(used.map(([, mark, name]) => `${mark} ${output.say(name)}`).join('  '))}`)
}

/** Cards that hold the same are one line. */
function grouped(devices: readonly PlanDevice[]): { device: PlanDevice; count: number }[] {
  const rows: { device: PlanDevice; count: number }[] = []
  for (const device of devices) {
    const same = rows.find((row) => row.device.name === device.name && Math.abs(row.device.used - device.used) < device.used * 0.02)
    if (same) same.count += 1
    else rows.push({ device, count: 1 })
  }
  return rows
}

function deviceName({ name, kind }: PlanDevice, count: number, output: Output): string {
  const text = kind === 'memory' ? output.say({ en: 'memory', zh: '内存' }) : name
  return count > 1 ? `${count} × ${text}` : text
}

/** Parts in proportion to what may be used; more than that is cut, and said beside it. */
export function barOf({ parts, usable, used }: Pick<PlanDevice, 'parts' | 'usable' | 'used'>, width: number): string {
  const scale = width / Math.max(usable, used, 1)
  let text = ''
  let sum = 0
  for (const [part, mark] of PARTS) {
    sum += parts[part]
    text += mark.repeat(Math.max(0, Math.min(width, Math.round(sum * scale)) - text.length))
  }
  return `[${text.padEnd(width)}]`
}

function printFacts(report: PlanReport, output: Output): void {
  const { memory, kv, speed, wishes } = report
  const estimate = output.say(
    speed?.isCorrected ? { en: '(estimate, corrected here)', zh: '（估算，已按本机修正）' } : { en: '(estimate)', zh: '（估算）' },
  )
  const rows: [Localized, string][] = [
    [{ en: 'Weights', zh: '权重' }, formatBytes(memory.weights)],
    [{ en: 'KV cache', zh: 'KV 缓存' }, `${formatBytes(memory.kv)}  (${kv.scheme}, ${kv.bytesPerToken.toLocaleString('en-US')} B/token)`],
    [{ en: 'Compute and overhead', zh: '计算与开销' }, formatBytes(memory.compute + memory.overhead)],
    [{ en: 'All together', zh: '合计' }, `${formatBytes(memory.total)} / ${formatBytes(memory.usable)}`],
    [{ en: 'Longest context', zh: '最长上下文' }, `${report.largestContext.toLocaleString('en-US')} token`],
    [{ en: 'Most users', zh: '最多用户' }, String(report.mostUsers)],
  ]
  if (speed) {
    rows.push([{ en: 'One user', zh: '单用户速度' }, `${rangeText(speed.decode)} token/s ${estimate}`])
    if (wishes.users > 1) rows.push([{ en: 'All users', zh: '总速度' }, `${rangeText(speed.decodeAll)} token/s ${estimate}`])
    rows.push([{ en: 'Reading a prompt', zh: '读取提示' }, `${rangeText(speed.prefill)} token/s ${estimate}`])
  }
  const width = Math.max(...rows.map(([title]) => textWidth(output.say(title))))
  for (const [title, value] of rows) output.line(`${padToWidth(output.say(title), width)}  ${value}`)
}

/** `8–16`, `0.4–0.8`. */
export function rangeText({ low, high }: { low: number; high: number }): string {
  const text = (value: number): string => (value >= 10 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1))
  return `${text(low)}–${text(high)}`
}

function printChanges({ changes, fits }: PlanReport, output: Output): void {
  if (fits) return
  output.line('')
  if (changes.length === 0) {
    output.line(output.say({ en: 'No single change makes it fit.', zh: '没有能放下的调整方案。' }))
    return
  }
  output.line(output.bold(output.say({ en: 'What would fit, least loss first:', zh: '可行的调整（损失从小到大）：' })))
  changes.forEach(({ change, loss, total, request }, index) => {
    output.line(`${index + 1}. ${output.say(change)} – ${output.say(loss)} (${formatBytes(total)})`)
    output.line(output.dim(`   ${flagsOf(request)}`))
  })
}

/** As they are typed: `--gpu "RTX 4090" --ram 64G`. */
export function flagsOf(request: PlanReport['changes'][number]['request']): string {
  const quoted = (value: string | number): string => (/^[\w.@+-]+$/.test(String(value)) ? String(value) : `"${value}"`)
  return Object.entries(request)
    .map(([name, value]) => `--${name} ${quoted(value)}`)
    .join(' ')
}

function inUnit(value: number, unit: PlanTerm['unit']): string {
  if (unit === 'bytes') return `${formatBytes(value)} (${Math.round(value).toLocaleString('en-US')} B)`
  if (unit === 'bytes/s') return `${formatBytes(value)}/s`
  return `${value.toLocaleString('en-US', { maximumFractionDigits: 1 })} ${unit}`
}

function printTerms({ terms }: PlanReport, output: Output): void {
  output.line('')
  for (const { label, formula, numbers, value, unit, basis, source } of terms) {
    const result = inUnit(value, unit)
    output.line(`${output.bold(output.say(label))} = ${result}  [${output.say(BASIS[basis])}]`)
    output.line(`  ${formula}`)
    output.line(`  = ${numbers}`)
    output.line(output.dim(`  ${output.say({ en: 'source', zh: '来源' })}: ${source}`))
  }
  output.line('')
}
