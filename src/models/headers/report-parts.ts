/** Parts that the reports of all formats have. */
import type { FileFinding, FileReport, ReportedTensor, TensorGroup } from '../../shared/file-report.ts'
import type { Localized } from '../../shared/language.ts'
import { printable } from '../printable.ts'
import type { HeaderTensor } from './model-header.ts'

type TensorParts = Pick<FileReport, 'tensors' | 'tensorTypes'>

export function tensorParts(tensors: readonly HeaderTensor[]): TensorParts {
  return { tensors: tensors.map(reported), tensorTypes: groupsOf(tensors) }
}

function reported({ name, type, shape, bytes, file }: HeaderTensor): ReportedTensor {
  return { name: printable(name, 300), type: printable(type), shape, bytes, ...(file === undefined ? {} : { file: printable(file, 300) }) }
}

function groupsOf(tensors: readonly HeaderTensor[]): TensorGroup[] {
  const groups = new Map<string, TensorGroup>()
  for (const { type, shape, bytes } of tensors) {
    const group = groups.get(type) ?? { type: printable(type), count: 0, elements: 0, bytes: 0 }
    const elements = shape.reduce((product, size) => product * size, 1)
    groups.set(type, { ...group, count: group.count + 1, elements: group.elements + elements, bytes: group.bytes + bytes })
  }
  return [...groups.values()].toSorted((a, b) => b.bytes - a.bytes)
}

export function elementsOf(tensors: readonly HeaderTensor[]): number {
  return tensors.reduce((total, { shape }) => total + shape.reduce((product, size) => product * size, 1), 0)
}

export function finding(level: FileFinding['level'], en: string, zh: string): FileFinding {
  return { level, text: { en, zh } }
}

export const BENDI: Localized = { en: 'runs here: bendi run FILE', zh: '可直接运行：bendi run 文件' }
export const GET_GGUF: Localized = {
  en: 'To run it with bendi, get a GGUF of the same model: look for its name with -GGUF on the hub, then bendi pull hf:OWNER/NAME-GGUF.',
  zh: '要用 bendi 运行，请获取同一模型的 GGUF：在模型站搜索名称加 -GGUF 的仓库，然后 bendi pull hf:OWNER/NAME-GGUF。',
}
