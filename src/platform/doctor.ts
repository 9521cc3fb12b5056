/** What could go wrong on this machine: the machine's own findings, and the kernel that the engine would use here and why. */
import path from 'node:path'
import type { Logger } from '../base/logger.ts'
import type { Paths } from '../base/paths.ts'
import type { Config } from '../config/settings.ts'
import { diagnose } from '../hardware/doctor.ts'
import type { HubAddress } from '../hardware/findings/network.ts'
import { probeHost } from '../hardware/host.ts'
import { measureHardware } from '../hardware/measurements.ts'
import { thisSystem } from '../hardware/system.ts'
import { probeToolchains } from '../hardware/toolchains.ts'
import { fileUrl, hfEndpoints } from '../models/hubs/huggingface.ts'
import { MODELSCOPE_ENDPOINT } from '../models/hubs/modelscope.ts'
import type { SourceEnvironment } from '../models/hubs/source.ts'
import type { Finding, Hardware } from '../shared/api.ts'
import { AppError, localizeError } from '../shared/errors.ts'
import type { Language, Localized } from '../shared/language.ts'
import { localizeReason } from '../shared/localize-reason.ts'
import { findHolder } from './lock.ts'

export interface DoctorOptions {
  config: Config
  env: SourceEnvironment
  paths: Paths
  probe(): Promise<Hardware>
  logger: Logger
  /** Absent = the embedded engine's own choice. */
  chooseKernel?: ChooseKernel
}

/** Measures when it must, which takes seconds the first time. */
export type ChooseKernel = (options: { cacheFile: string; override?: string; logger: Logger }) => Promise<KernelChoice>

export interface KernelChoice {
  variant: string
  reason: string
  measured: readonly { variant: string; ms: number; error?: string }[]
}

export async function runDoctor(options: DoctorOptions): Promise<Finding[]> {
  const { config, env, paths, probe } = options
  const [hardware, holder, host, tools] = await Promise.all([
    probe(),
    findHolder({ file: paths.lockFile }),
    probeHost(thisSystem),
    probeToolchains(thisSystem),
  ])
  // One after the other: both want the whole machine for themselves.
  const kernel = await kernelFinding(options)
  const measured = await measureHardware({ hardware, cacheFolder: paths.cache, models: paths.models })
  return diagnose({
    hardware: measured,
    host,
    tools,
    port: { host: config.host, port: config.port, ...(holder?.address ? { owner: holder.address } : {}) },
    hubs: hubsOf(env),
    ...(env.proxies ? { proxies: env.proxies } : {}),
    ...(env.extraCertificates ? { extraCertificates: env.extraCertificates } : {}),
    offline: config.offline,
    extra: [kernel],
  })
}

/** A file of some megabytes that every hub has, and nobody needs a token for. */
const SAMPLE = { repository: 'deepseek-ai/DeepSeek-R1', file: 'tokenizer.json' }

function hubsOf(env: SourceEnvironment): HubAddress[] {
  const endpoints = hfEndpoints({ env }).map((endpoint) => ({
    name: endpoint.name,
    url: endpoint.origin,
    sample: fileUrl(endpoint, SAMPLE.repository, 'main', SAMPLE.file).url,
  }))
  const origin = (env.modelscopeEndpoint ?? MODELSCOPE_ENDPOINT).replace(/\/+$/, '')
  const sample = `${origin}/api/v1/models/${SAMPLE.repository}/repo?Revision=master&FilePath=${SAMPLE.file}`
  return [...endpoints, { name: 'ModelScope', url: origin, sample }]
}

const TITLE: Localized = { en: 'CPU kernel', zh: 'CPU 内核变体' }

export async function kernelFinding({
  config,
  paths,
  logger,
  chooseKernel = embeddedKernel,
}: Pick<DoctorOptions, 'config' | 'paths' | 'logger' | 'chooseKernel'>): Promise<Finding> {
  try {
    const { kernel } = config
    const choice = await chooseKernel({
      cacheFile: path.join(paths.cache, 'kernel.json'),
      logger,
      ...(kernel === undefined ? {} : { override: kernel }),
    })
    return { id: 'kernel', level: 'ok', title: TITLE, detail: kernelDetail(choice) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return brokenEngine(error)
  }
}

function kernelDetail({ variant, reason, measured }: KernelChoice): Localized {
  const detail = (language: Language, fails: string): string => {
    const others = measured.map((one) => `${one.variant} ${one.error === undefined ? `${Math.round(one.ms)} ms` : fails}`)
    return `${variant}: ${localizeReason(reason, language)}${others.length === 0 ? '' : ` (${others.join(', ')})`}`
  }
  return { en: detail('en', 'fails'), zh: detail('zh', '失败') }
}

function brokenEngine(error: AppError): Finding {
  const [en, zh] = [localizeError(error, 'en'), localizeError(error, 'zh')]
  const remedy: Localized = {
    en: en.hint ?? 'Reinstall bendi for this platform: npm install',
    zh: zh.hint ?? '请为本平台重新安装 bendi：npm install',
  }
  return { id: 'kernel', level: 'problem', title: TITLE, detail: { en: en.message, zh: zh.message }, remedy }
}

const embeddedKernel: ChooseKernel = async (options) => {
  const { chooseKernel, findNativePackage } = await import('../engine/llama/engine.ts')
  return chooseKernel({ ...options, nativePackage: findNativePackage() })
}
