/** What files are that are no GGUF, for people: safetensors, PyTorch, ONNX, old GGML. */
import type { FileFinding, FileReport } from '../../shared/file-report.ts'
import type { Localized } from '../../shared/language.ts'
import { printable } from '../printable.ts'
import type { LegacyGgml } from './ggml-legacy.ts'
import type { HeaderFile, ModelHeader } from './model-header.ts'
import type { OnnxModel } from './onnx.ts'
import { elementsOf, finding, GET_GGUF, tensorParts } from './report-parts.ts'
import type { TorchFile } from './torch-file.ts'

const FORMATS = { gguf: 'GGUF', safetensors: 'safetensors', config: 'config.json', catalogue: 'bendi' } as const

/** A model known from its headers: safetensors here or anywhere, config.json alone, or a GGUF that is elsewhere. */
export function reportHeader(header: ModelHeader, path: string, metadata: Readonly<Record<string, string>> = {}): FileReport {
  const { tensors = [], shape, files } = header
  const isGguf = header.source === 'gguf'
  return {
    path,
    format: header.source,
    formatName: files.length > 1 ? `${FORMATS[header.source]} × ${files.length}` : FORMATS[header.source],
    files,
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    ...(header.title === undefined ? {} : { title: printable(header.title, 200) }),
    architecture: header.architecture,
    ...(tensors.length > 0 ? { parameters: elementsOf(tensors) } : {}),
    quantization: header.quantization,
    ...(header.trainedContext > 0 ? { trainedContext: header.trainedContext } : {}),
    shape,
    ...tensorParts(tensors),
    metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [printable(key), printable(value, 200)])),
    findings: headerFindings(header),
    engines: isGguf
      ? [{ engine: 'bendi', how: { en: 'runs it: bendi pull, then bendi run', zh: '可运行：先 bendi pull，再 bendi run' } }]
      : [{ engine: 'vLLM, SGLang, transformers', how: { en: 'run it as it is', zh: '可直接运行' } }],
    advice: isGguf
      ? { en: 'Get it: bendi pull REF. What it needs: bendi plan REF.', zh: '下载：bendi pull 引用；所需资源：bendi plan 引用。' }
      : GET_GGUF,
  }
}

function headerFindings(header: ModelHeader): FileFinding[] {
  const types = new Set((header.tensors ?? []).map(({ type }) => type))
  return [
    ...(header.source === 'safetensors'
      ? [finding('ok', 'Only numbers: nothing in this format can run a program.', '该格式只含数值，不会执行任何程序。')]
      : []),
    ...(header.source === 'config'
      ? [
          finding(
            'note',
            'No header of weights could be read: sizes come from the shape in config.json.',
            '无法读取权重头部：大小根据 config.json 中的结构推算。',
          ),
        ]
      : []),
    ...(header.source === 'catalogue'
      ? [finding('note', 'Nobody was asked: this is what the catalogue knows.', '未访问网络：以下为内置目录中的信息。')]
      : []),
    ...(types.has('F8_E8M0') && types.has('I8')
      ? [
          finding(
            'note',
            'Its I8 tensors hold two 4-bit numbers (FP4) a byte, with F8_E8M0 scales: it has more parameters than elements.',
            'I8 张量每字节存放两个 4 位数（FP4），缩放为 F8_E8M0：实际参数多于元素数。',
          ),
        ]
      : []),
  ]
}

const TORCH_NAMES = { zip: 'PyTorch (zip)', legacy: 'PyTorch (before 1.6)', pickle: 'Python pickle' } as const

export function reportTorch(file: TorchFile, path: string): FileReport {
  const { tensors } = file
  return {
    path,
    format: 'pytorch',
    formatName: TORCH_NAMES[file.layout],
    files: [{ path, bytes: file.bytes }],
    bytes: file.bytes,
    ...(tensors.length > 0 ? { parameters: ownElements(tensors) } : {}),
    ...tensorParts(tensors),
    metadata: {},
    findings: torchFindings(file),
    engines: isDangerous(file)
      ? []
      : [{ engine: 'transformers', how: { en: 'loads it with weights_only=True', zh: '以 weights_only=True 加载' } }],
    advice: isDangerous(file) ? KEEP_AWAY : GET_GGUF,
  }
}

/** Tied weights share a storage: they count once. */
function ownElements(tensors: TorchFile['tensors']): number {
  const storages = new Map<string, number>()
  for (const { storage, shape } of tensors) {
    const elements = shape.reduce((product, size) => product * size, 1)
    storages.set(storage, Math.max(storages.get(storage) ?? 0, elements))
  }
  return [...storages.values()].reduce((total, elements) => total + elements, 0)
}

const KEEP_AWAY: Localized = {
  en: 'Do not load this file with Python: it would run the programs named above. Get the model as safetensors or GGUF from a source that you trust.',
  zh: '请勿用 Python 加载该文件：它会执行上面列出的程序。请从可信来源获取 safetensors 或 GGUF 版本。',
}

function isDangerous(file: TorchFile): boolean {
  return file.suspicious.some(({ judgement }) => judgement === 'dangerous')
}

const MOST_FINDINGS = 50

function torchFindings({ suspicious, hasCode, problems, tensors }: TorchFile): FileFinding[] {
  const named = suspicious.slice(0, MOST_FINDINGS).map(({ name, operation, use, judgement }) => {
    const shown = printable(name, 200)
    const verb = use === 'call' ? { en: 'call', zh: '调用' } : { en: 'import', zh: '导入' }
    return judgement === 'dangerous'
      ? finding('danger', `Loading it would ${verb.en} ${shown} (${operation}).`, `加载时会${verb.zh} ${shown}（${operation}）。`)
      : finding(
          'warning',
          `Loading it would ${verb.en} ${shown} (${operation}), which a list of weights does not need.`,
          `加载时会${verb.zh} ${shown}（${operation}），纯权重文件不需要它。`,
        )
  })
  return [
    ...named,
    ...(hasCode ? [finding('warning', 'It has a program inside (TorchScript).', '其中包含程序（TorchScript）。')] : []),
    ...problems.map((problem) => finding('warning', `Damaged: ${problem}.`, `已损坏：${problem}。`)),
    ...(suspicious.length === 0
      ? [
          finding(
            'ok',
            'Only what a list of weights needs would be imported; nothing was run to find out.',
            '只会导入权重文件所需的内容；检查过程未执行任何代码。',
          ),
        ]
      : []),
    ...(tensors.length === 0 ? [finding('warning', 'No tensors were found in it.', '未找到任何张量。')] : []),
  ]
}

export function reportOnnx(model: OnnxModel, path: string, bytes: number): FileReport {
  const sets = Object.entries(model.operatorSets).map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`)
  const generates = model.inputs.some(({ name }) => /past_key_values|past_keys|kv_cache/i.test(name))
  return {
    path,
    format: 'onnx',
    formatName: `ONNX (IR ${model.irVersion}; ${sets.join(', ')})`,
    files: [{ path, bytes }, ...model.externalFiles.map((file) => ({ path: file, bytes: 0 }))],
    bytes,
    ...(model.producer === undefined ? {} : { title: model.producer }),
    parameters: elementsOf(model.initializers),
    quantization: model.quantizedBy.length > 0 ? model.quantizedBy.join(', ') : 'none',
    ...tensorParts(model.initializers),
    metadata: Object.fromEntries(Object.entries(model.operators).map(([name, count]) => [name, String(count)])),
    inputs: model.inputs,
    outputs: model.outputs,
    findings: [
      ...(model.externalFiles.length > 0
        ? [finding('note', `Its weights lie in ${model.externalFiles.join(', ')}.`, `权重位于 ${model.externalFiles.join('、')}。`)]
        : []),
      ...(model.quantizedBy.length > 0
        ? [
            finding(
              'note',
              `It computes with quantised weights (${model.quantizedBy.join(', ')}).`,
              `使用量化权重计算（${model.quantizedBy.join('、')}）。`,
            ),
          ]
        : []),
    ],
    engines: [onnxEngine(model, generates)],
    advice: GET_GGUF,
  }
}

/** By the operators: those of com.microsoft exist in ONNX Runtime only. */
function onnxEngine({ operatorSets, quantizedBy }: OnnxModel, generates: boolean): FileReport['engines'][number] {
  const isMicrosoft = 'com.microsoft' in operatorSets || quantizedBy.some((name) => /^(MatMulNBits|MatMulBnb4|QMoE|QAttention)/.test(name))
  if (generates)
    return { engine: 'ONNX Runtime GenAI', how: { en: 'generates text with it (it has a KV cache)', zh: '可用其生成文本（带 KV 缓存）' } }
  return isMicrosoft
    ? { engine: 'ONNX Runtime', how: { en: 'only: it has operators of com.microsoft', zh: '仅支持它：包含 com.microsoft 算子' } }
    : { engine: 'ONNX Runtime, OpenVINO, TensorRT', how: { en: 'run it', zh: '可运行' } }
}

export function reportLegacyGgml(model: LegacyGgml, path: string, files: readonly HeaderFile[]): FileReport {
  const { shape, quantization } = model
  const isAdapter = model.format === 'GGLA'
  return {
    path,
    format: 'ggml',
    formatName: model.version > 0 ? `${model.format} ${model.version}` : model.format,
    files,
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    ...(quantization === undefined ? {} : { quantization }),
    ...(shape === undefined
      ? {}
      : {
          shape: {
            vocab_size: shape.vocabulary,
            hidden_size: shape.hidden,
            num_attention_heads: shape.heads,
            num_hidden_layers: shape.layers,
          },
        }),
    tensors: [],
    tensorTypes: [],
    metadata: {},
    findings: [
      isAdapter
        ? finding('note', 'It is an adapter (LoRA) of 2023, not a model.', '这是 2023 年的 LoRA 适配器，不是模型。')
        : finding(
            'warning',
            'This format ended in August 2023; no current engine reads it, and its quantisations of before version 3 cannot be converted.',
            '该格式已于 2023 年 8 月停用；现有引擎均无法读取，第 3 版之前的量化也无法转换。',
          ),
    ],
    engines: [],
    advice: GET_GGUF,
  }
}
