/** A FileReport on the terminal: what it is, its tensors by type, its vocabulary, what is odd, and what to do with it. */
import { formatBytes } from '../base/bytes.ts'
import type { FileReport, ReportedTensor, ReportedTokenizer, ReportedValue } from '../shared/file-report.ts'
import type { Localized } from '../shared/language.ts'
import { countText } from './number-text.ts'
import type { Output } from './output.ts'
import { padToWidth, textWidth } from './text-width.ts'

type Row = readonly [Localized, string]

export function printFileReport(report: FileReport, output: Output, options: { tensors: boolean; metadata: boolean }): void {
  printRows(output, rowsOf(report))
  if (report.tensorTypes.length > 0) printTypes(report, output)
  if (report.inputs && report.outputs) printValues(report.inputs, report.outputs, output)
  if (options.metadata) printMetadata(report, output)
  if (options.tensors) printTensors(report.tensors, output)
  output.line('')
  for (const { level, text } of report.findings) output.line(`${MARKS[level]} ${output.say(text)}`)
  for (const { engine, how } of report.engines) output.line(`→ ${output.bold(engine)}: ${output.say(how)}`)
  output.line(output.say(report.advice))
}

const MARKS = { ok: '✓', note: '·', warning: '!', danger: '✗' } as const

function rowsOf(report: FileReport): Row[] {
  const { shape = {} } = report
  const rows: (readonly [Localized, string | undefined])[] = [
    [{ en: 'What it is', zh: '实际模型' }, report.title],
    [{ en: 'Format', zh: '格式' }, report.formatName],
    [{ en: 'Size', zh: '大小' }, sizeText(report)],
    [{ en: 'Architecture', zh: '架构' }, report.architecture],
    [{ en: 'Parameters', zh: '参数量' }, report.parameters === undefined ? undefined : countText(report.parameters)],
    [{ en: 'Quantisation', zh: '量化' }, report.quantization],
    [{ en: 'Trained context', zh: '训练上下文' }, report.trainedContext === undefined ? undefined : `${report.trainedContext} token`],
    [{ en: 'Layers', zh: '层数' }, numberText(shape['num_hidden_layers'])],
    [{ en: 'Width', zh: '宽度' }, numberText(shape['hidden_size'])],
    [{ en: 'Heads', zh: '注意力头' }, headsText(shape)],
    [{ en: 'Experts', zh: '专家' }, expertsText(shape)],
    [{ en: 'Vocabulary', zh: '词表' }, report.tokenizer ? tokenizerText(report.tokenizer) : numberText(shape['vocab_size'])],
    [{ en: 'Licence', zh: '许可证' }, report.license],
    [{ en: 'Chat template', zh: '对话模板' }, report.chatTemplate === undefined ? undefined : `${report.chatTemplate.length} (--template)`],
  ]
  return rows.flatMap(([title, value]) => (value === undefined || value === '' ? [] : [[title, value] as const]))
}

function sizeText({ bytes, files }: FileReport): string {
  return files.length > 1 ? `${formatBytes(bytes)} (${files.length})` : formatBytes(bytes)
}

function numberText(value: unknown): string | undefined {
  return typeof value === 'number' ? value.toLocaleString('en-US') : undefined
}

function headsText(shape: Readonly<Record<string, unknown>>): string | undefined {
  const heads = numberText(shape['num_attention_heads'])
  const latent = numberText(shape['kv_lora_rank'])
  if (heads === undefined) return undefined
  return latent === undefined ? `${heads} / KV ${numberText(shape['num_key_value_heads']) ?? heads}` : `${heads} / MLA ${latent}`
}

function expertsText(shape: Readonly<Record<string, unknown>>): string | undefined {
  const experts = numberText(shape['n_routed_experts'] ?? shape['num_experts'] ?? shape['num_local_experts'])
  const used = numberText(shape['num_experts_per_tok'])
  return experts === undefined || used === undefined ? experts : `${used} / ${experts}`
}

function tokenizerText({ model, preTokenizer, tokens, special }: ReportedTokenizer): string {
  const named = Object.entries(special).map(([name, id]) => `${name} ${id}`)
  const details = [model, preTokenizer, ...named].filter((part) => part !== undefined)
  return `${tokens.toLocaleString('en-US')} (${details.join(', ')})`
}

function printTypes(report: FileReport, output: Output): void {
  output.line('')
  output.table(
    [
      { title: { en: 'TYPE', zh: '类型' } },
      { title: { en: 'TENSORS', zh: '张量数' }, align: 'right' },
      { title: { en: 'ELEMENTS', zh: '元素' }, align: 'right' },
      { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
    ],
    report.tensorTypes.map(({ type, count, elements, bytes }) => [type, String(count), countText(elements), formatBytes(bytes)]),
  )
}

function printValues(inputs: readonly ReportedValue[], outputs: readonly ReportedValue[], output: Output): void {
  const rows = [
    ...inputs.map((value) => [output.say({ en: 'input', zh: '输入' }), value] as const),
    ...outputs.map((value) => [output.say({ en: 'output', zh: '输出' }), value] as const),
  ]
  output.line('')
  output.table(
    [
      { title: { en: 'GRAPH', zh: '计算图' } },
      { title: { en: 'NAME', zh: '名称' } },
      { title: { en: 'TYPE', zh: '类型' } },
      { title: { en: 'SHAPE', zh: '形状' } },
    ],
    rows.map(([kind, { name, type, shape }]) => [kind, name, type, shape.join(' × ')]),
  )
}

function printMetadata({ metadata }: FileReport, output: Output): void {
  output.line('')
  for (const [key, value] of Object.entries(metadata)) output.line(`${key} = ${value}`)
}

function printTensors(tensors: readonly ReportedTensor[], output: Output): void {
  output.line('')
  output.table(
    [
      { title: { en: 'TENSOR', zh: '张量' } },
      { title: { en: 'TYPE', zh: '类型' } },
      { title: { en: 'SHAPE', zh: '形状' } },
      { title: { en: 'SIZE', zh: '大小' }, align: 'right' },
    ],
    tensors.map(({ name, type, shape, bytes }) => [name, type, shape.join(' × '), formatBytes(bytes)]),
  )
}

function printRows(output: Output, rows: readonly Row[]): void {
  const titles = rows.map(([title]) => output.say(title))
  const width = Math.max(0, ...titles.map(textWidth))
  rows.forEach(([, value], index) => output.line(`${padToWidth(titles[index] ?? '', width)}  ${value}`))
}
