/** What a GGUF is, for people: its numbers, its vocabulary, its template, and what is odd about it. */
import type { FileFinding, FileReport, ReportedTokenizer } from '../../shared/file-report.ts'
import { AppError } from '../../shared/errors.ts'
import type { GgufHeader, GgufValue } from '../gguf.ts'
import { factsOf } from '../model-facts.ts'
import type { ModelFacts } from '../model-facts.ts'
import { printable } from '../printable.ts'
import { mlaLayoutOf, shapeOfGguf } from './gguf-shape.ts'
import { LIBLLAMA_ARCHITECTURES } from './libllama-architectures.ts'
import type { HeaderFile } from './model-header.ts'
import { BENDI, elementsOf, finding, tensorParts } from './report-parts.ts'

export function reportGguf(header: GgufHeader, path: string, files: readonly HeaderFile[]): FileReport {
  const tensors = header.tensors.map(({ name, shape, type, bytes }) => ({ name, shape: shape.toReversed(), type: type.name, bytes }))
  const facts = factsOrReason(header, path)
  const text = (key: string): string | undefined => textOf(header.metadata.get(key))
  const architecture = text('general.architecture')
  const tokenizer = tokenizerOf(header.metadata)
  const template = text('tokenizer.chat_template')
  const title = text('general.name')
  const license = text('general.license')
  return {
    path,
    format: 'gguf',
    formatName: `GGUF ${header.version}`,
    files,
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    ...(title === undefined ? {} : { title: printable(title, 200) }),
    ...(license === undefined ? {} : { license: printable(license) }),
    ...(architecture === undefined ? {} : { architecture: printable(architecture) }),
    parameters: elementsOf(tensors),
    ...('quantization' in facts ? { quantization: facts.quantization } : {}),
    ...('trainedContext' in facts && facts.trainedContext > 0 ? { trainedContext: facts.trainedContext } : {}),
    shape: shapeOfGguf(header),
    ...tensorParts(tensors),
    metadata: Object.fromEntries([...header.metadata].map(([key, value]) => [printable(key, 200), valueText(value)])),
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(template === undefined ? {} : { chatTemplate: template }),
    findings: findingsOf(header, facts, template),
    ...usesOf(facts, architecture),
  }
}

type FactsOrReason = ModelFacts | { reason: string }

/** Adapters, vision parts and vocabularies are GGUF too, but no models. */
function factsOrReason(header: GgufHeader, path: string): FactsOrReason {
  try {
    return factsOf(header, path)
  } catch (error) {
    if (error instanceof AppError) return { reason: String(error.data['reason'] ?? '') }
    throw error
  }
}

function usesOf(facts: FactsOrReason, architecture: string | undefined): Pick<FileReport, 'engines' | 'advice'> {
  if ('reason' in facts)
    return {
      engines: [],
      advice: { en: `It cannot be run by itself: ${facts.reason}.`, zh: `不能单独运行：${facts.reason}。` },
    }
  const isKnown = architecture !== undefined && LIBLLAMA_ARCHITECTURES.has(architecture)
  if (!isKnown)
    return {
      engines: [],
      advice: {
        en: `The engine does not know the architecture "${printable(architecture ?? '')}" (yet). Look for a newer bendi, or the fork that made the file.`,
        zh: `引擎（暂）不支持架构“${printable(architecture ?? '')}”。请更新 bendi，或使用生成该文件的分支版本。`,
      },
    }
  return {
    engines: [
      { engine: 'bendi', how: BENDI },
      { engine: 'llama.cpp, Ollama, LM Studio', how: { en: 'run it as well', zh: '同样可运行' } },
    ],
    advice: { en: 'Run it: bendi run FILE. What it needs: bendi plan FILE.', zh: '运行：bendi run 文件；所需资源：bendi plan 文件。' },
  }
}

function findingsOf(header: GgufHeader, facts: FactsOrReason, template: string | undefined): FileFinding[] {
  const isModel = !('reason' in facts)
  return [
    finding('ok', 'Its lengths and places agree; it is whole.', '长度与位置一致，文件完整。'),
    ...(mlaLayoutOf(header) === 'legacy'
      ? [
          finding(
            'warning',
            'It was made before April 2025: its latent attention is stored unfolded, so the KV cache is up to 71 times larger. Get a newer conversion.',
            '该文件生成于 2025 年 4 月之前：潜在注意力以展开形式存储，KV 缓存最多大 71 倍。请使用新的转换版本。',
          ),
        ]
      : []),
    ...(isModel && template === undefined
      ? [finding('note', 'It has no chat template; its family’s usual one is used.', '文件中没有对话模板，将使用其系列的通用模板。')]
      : []),
    ...(template !== undefined
      ? [
          finding(
            'note',
            'Its chat template is a program; bendi runs it apart, with bounded time and memory.',
            '对话模板是程序；bendi 在隔离环境中限时限内存运行。',
          ),
        ]
      : []),
  ]
}

const SPECIAL = /^tokenizer\.ggml\.(\w+)_token_id$/

function tokenizerOf(metadata: ReadonlyMap<string, GgufValue>): ReportedTokenizer | undefined {
  const model = textOf(metadata.get('tokenizer.ggml.model'))
  if (model === undefined) return undefined
  const length = (key: string): number | undefined => {
    const value = metadata.get(`tokenizer.ggml.${key}`)
    return typeof value === 'object' ? value.length : undefined
  }
  const pre = textOf(metadata.get('tokenizer.ggml.pre'))
  const merges = length('merges')
  const addsBegin = metadata.get('tokenizer.ggml.add_bos_token')
  const special = [...metadata].flatMap(([key, value]) => {
    const name = SPECIAL.exec(key)?.[1]
    return name !== undefined && typeof value === 'number' ? [[name, value] as const] : []
  })
  return {
    model: printable(model),
    ...(pre === undefined ? {} : { preTokenizer: printable(pre) }),
    tokens: length('tokens') ?? 0,
    ...(merges === undefined ? {} : { merges }),
    special: Object.fromEntries(special),
    ...(typeof addsBegin === 'boolean' ? { addsBegin } : {}),
  }
}

const LONG = 200

function valueText(value: GgufValue): string {
  if (typeof value === 'object') {
    const few = value.values !== undefined && value.length <= 16
    return few ? `[${(value.values ?? []).map((item) => printable(String(item))).join(', ')}]` : `${value.length} × ${value.elementType}`
  }
  const text = String(value)
  return text.length > LONG ? `${printable(text, LONG)}… (${text.length})` : printable(text, LONG)
}

function textOf(value: GgufValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
