/** Node.js, processor, memory and disk. */
import { formatBytes } from '../../base/bytes.ts'
import type { Finding, Hardware } from '../../shared/hardware.ts'
import type { Localized } from '../../shared/language.ts'
import { ok, problem, same, warning } from './finding.ts'

const LEAST_NODE = [20, 19] as const
const GB = 1_000_000_000

export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const isNew = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  const title = same('Node.js')
  if (isNew) return ok('node', title, same(version))
  return problem(
    'node',
    title,
    { en: `${version} is too old; 20.19 or newer is needed.`, zh: `${version} 过旧，需要 20.19 或更新版本。` },
    { en: 'Install a current Node.js (20.19, 22.12 or newer).', zh: '请安装较新的 Node.js（20.19、22.12 或更新版本）。' },
  )
}

export function cpuFinding({ cpu, platform }: Hardware): Finding {
  const cores = Math.round(cpu.cores * 10) / 10
  const title: Localized = { en: 'Processor', zh: '处理器' }
  const features = cpu.features.join(' ')
  const detail: Localized = {
    en: `${cpu.model}, ${cores} usable cores${features ? ` (${features})` : ''}`,
    zh: `${cpu.model}，可用 ${cores} 核${features ? `（${features}）` : ''}`,
  }
  if (platform.endsWith('-x64') && cpu.features.length > 0 && !cpu.features.includes('avx2')) {
    return warning(
      'cpu',
      title,
      { en: `${detail.en}; no AVX2: answers will be slow`, zh: `${detail.zh}；没有 AVX2，回答会很慢` },
      {
        en: 'In a virtual machine, pass the host CPU through (for QEMU/Proxmox: CPU type "host"). Otherwise choose a small model.',
        zh: '若在虚拟机中，请将 CPU 类型设为直通（QEMU/Proxmox 选 "host"）；否则请选择小模型。',
      },
    )
  }
  if (cpu.cores >= 2) return ok('cpu', title, detail)
  return warning('cpu', title, detail, {
    en: 'Give this container or machine at least 2 cores.',
    zh: '请为该容器或机器分配至少 2 个核心。',
  })
}

export function memoryFinding({ memory }: Hardware): Finding {
  const { totalBytes, availableBytes, limitBytes } = memory
  const title: Localized = { en: 'Memory', zh: '内存' }
  const limit = limitBytes === undefined ? '' : formatBytes(limitBytes)
  const speed = memory.readBytesPerSecond === undefined ? '' : `${formatBytes(memory.readBytesPerSecond)}/s`
  const detail: Localized = {
    en: `${formatBytes(availableBytes)} free of ${formatBytes(totalBytes)}${limit && ` (this container may use ${limit})`}${speed && `, read at ${speed}`}`,
    zh: `共 ${formatBytes(totalBytes)}，可用 ${formatBytes(availableBytes)}${limit && `（容器上限 ${limit}）`}${speed && `，读取速度 ${speed}`}`,
  }
  if (availableBytes >= 2 * GB) return ok('memory', title, detail)
  const remedy: Localized =
    limitBytes === undefined
      ? {
          en: 'Close other programs, or add memory; 4 GB free are comfortable for small models.',
          zh: '请关闭其他程序或增加内存；小模型建议有 4 GB 空闲。',
        }
      : { en: 'Raise the memory limit of the container.', zh: '请提高容器的内存上限。' }
  return (availableBytes < 0.5 * GB ? problem : warning)('memory', title, detail, remedy)
}

/** Only when much is swapped out already: then everything waits for the disk. */
export function swapFindings({ memory: { swapBytes = 0, swapFreeBytes = 0, totalBytes } }: Hardware): Finding[] {
  const used = swapBytes - swapFreeBytes
  if (used < 0.1 * totalBytes || used < GB) return []
  return [
    warning(
      'swap',
      { en: 'Swap', zh: '交换空间' },
      { en: `${formatBytes(used)} are swapped out: memory is short`, zh: `已换出 ${formatBytes(used)}：内存不足` },
      { en: 'Close other programs before you load a model.', zh: '加载模型前请关闭其他程序。' },
    ),
  ]
}

export function diskFinding({ disk }: Hardware): Finding {
  const title: Localized = { en: 'Disk', zh: '磁盘' }
  const speed = disk.readBytesPerSecond === undefined ? '' : `${formatBytes(disk.readBytesPerSecond)}/s`
  const detail: Localized = {
    en: `${formatBytes(disk.freeBytes)} free at ${disk.path}${disk.type ? ` (${disk.type})` : ''}${speed && `, read at ${speed}`}`,
    zh: `${disk.path}${disk.type ? `（${disk.type}）` : ''} 剩余 ${formatBytes(disk.freeBytes)}${speed && `，读取速度 ${speed}`}`,
  }
  if (disk.totalBytes === 0) {
    return warning(
      'disk',
      title,
      { en: `${disk.path} cannot be examined`, zh: `无法检查 ${disk.path}` },
      {
        en: 'Check that the folder answers (a network disk may hang), or set BENDI_HOME.',
        zh: '请检查该目录能否访问（网络盘可能无响应），或设置 BENDI_HOME。',
      },
    )
  }
  if (disk.freeBytes >= 3 * GB) return ok('disk', title, detail)
  const remedy = { en: 'Free some space, or set BENDI_HOME to another disk.', zh: '请清理空间，或将 BENDI_HOME 设到其他磁盘。' }
  return (disk.freeBytes < 0.3 * GB ? problem : warning)('disk', title, detail, remedy)
}

/** As memory cards and old USB disks read. */
const SLOW_DISK_BYTES_PER_SECOND = 60_000_000

export function diskSpeedFindings({ disk: { path, readBytesPerSecond } }: Hardware): Finding[] {
  if (readBytesPerSecond === undefined || readBytesPerSecond >= SLOW_DISK_BYTES_PER_SECOND) return []
  const minutes = Math.ceil((5 * GB) / readBytesPerSecond / 60)
  return [
    warning(
      'disk-speed',
      { en: 'Disk speed', zh: '磁盘速度' },
      {
        en: `${path} reads ${formatBytes(readBytesPerSecond)}/s: a model of 5 GB takes ${minutes} min to load`,
        zh: `${path} 读取速度为 ${formatBytes(readBytesPerSecond)}/s：加载 5 GB 的模型约需 ${minutes} 分钟`,
      },
      { en: 'Set BENDI_HOME to a faster disk (an SSD).', zh: '请将 BENDI_HOME 设到更快的磁盘（SSD）。' },
    ),
  ]
}

/** A folder that is slow for models, or that forgets them. */
export function diskKindFindings({ disk }: Hardware): Finding[] {
  const title: Localized = { en: 'Data folder', zh: '数据目录' }
  const move: Localized = { en: 'Set BENDI_HOME to a folder on a local disk.', zh: '请将 BENDI_HOME 设到本地磁盘的目录。' }
  switch (disk.kind) {
    case 'network':
    case 'fuse':
      return [
        warning(
          'disk-kind',
          title,
          {
            en: `${disk.path} is on ${disk.type}: models load slowly, and locks may not hold between machines`,
            zh: `${disk.path} 位于 ${disk.type}：加载模型较慢，多机之间的锁可能无效`,
          },
          move,
        ),
      ]
    case 'host':
      return [
        warning(
          'disk-kind',
          title,
          {
            en: `${disk.path} is a folder of the host (${disk.type}): reading models there is many times slower`,
            zh: `${disk.path} 是宿主机目录（${disk.type}）：读取模型会慢很多`,
          },
          {
            en: 'Use a folder inside the Linux file system, e.g. BENDI_HOME=~/.local/share/bendi (in WSL: not below /mnt/c).',
            zh: '请使用 Linux 文件系统内的目录，例如 BENDI_HOME=~/.local/share/bendi（WSL 中不要放在 /mnt/c 下）。',
          },
        ),
      ]
    case 'memory':
      return [
        warning(
          'disk-kind',
          title,
          {
            en: `${disk.path} is kept in memory (${disk.type}): models are gone after a restart`,
            zh: `${disk.path} 位于内存（${disk.type}）：重启后模型会丢失`,
          },
          move,
        ),
      ]
    case 'overlay':
      return [
        warning(
          'disk-kind',
          title,
          { en: `${disk.path} is inside the container: models are gone with it`, zh: `${disk.path} 位于容器内部：删除容器后模型会丢失` },
          {
            en: 'Mount a volume there, e.g. -v bendi:/data -e BENDI_HOME=/data.',
            zh: '请挂载卷，例如 -v bendi:/data -e BENDI_HOME=/data。',
          },
        ),
      ]
    case 'local':
    case undefined:
      return []
  }
}
