/** What this machine has, in two lines. */
import { formatBytes } from '../base/bytes.ts'
import type { Gpu, Hardware } from '../shared/api.ts'
import type { Localized } from '../shared/language.ts'

export function machineLines({ cpu, memory, disk, gpus }: Hardware): [Localized, Localized] {
  const limit = memory.limitBytes === undefined ? undefined : formatBytes(memory.limitBytes)
  const free = formatBytes(memory.availableBytes)
  const total = formatBytes(memory.totalBytes)
  const cores = Math.round(cpu.cores * 10) / 10
  return [
    {
      en: `This machine: ${cpu.model}, ${cores} ${cores === 1 ? 'core' : 'cores'}; ${free} of ${total} memory free${limit ? ` (limit ${limit})` : ''}.`,
      zh: `本机：${cpu.model}，${cores} 核；内存可用 ${free}，共 ${total}${limit ? `（限额 ${limit}）` : ''}。`,
    },
    {
      en: `Disk: ${formatBytes(disk.freeBytes)} free at ${disk.path}. GPU: ${gpus.map(gpuText).join(', ') || 'none'}.`,
      zh: `磁盘：${disk.path} 可用 ${formatBytes(disk.freeBytes)}。GPU：${gpus.map(gpuText).join('、') || '无'}。`,
    },
  ]
}

function gpuText(gpu: Gpu): string {
  return `${gpu.name} (${formatBytes(gpu.memoryBytes)})`
}
