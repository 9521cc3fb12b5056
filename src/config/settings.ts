/** Every setting, in one table: its flag, variable, kind, default and description. docs/config.md is generated from it. */
import type { z } from 'zod'
import { LOG_LEVELS } from '../base/logger.ts'
import { LANGUAGES } from '../shared/language.ts'
import type { Localized } from '../shared/language.ts'
import { boolean, bytes, choice, duration, httpUrl, integer, list, origin, text, tokens } from './kinds.ts'
import type { Kind } from './kinds.ts'

export interface Setting<Output = unknown> {
  kind: Kind<Output>
  /** The first that is set and not empty wins. */
  env: readonly string[]
  /** Without the dashes. */
  flag: string
  /** Absent = decided when it is needed (or not used at all). */
  default?: Output
  /** Never printed. */
  secret?: true
  /** Cannot stand in the config file, because the file is found by it. */
  notInFile?: true
  description: Localized
}

export const settings = {
  home: {
    kind: text({ en: 'a folder', zh: '目录' }),
    env: ['BENDI_HOME'],
    flag: 'home',
    notInFile: true,
    description: { en: 'Data folder: models, logs, caches, history', zh: '数据目录：模型、日志、缓存、历史' },
  },
  host: {
    kind: text({ en: 'an address', zh: '地址' }),
    env: ['BENDI_HOST'],
    flag: 'host',
    default: '127.0.0.1',
    description: { en: 'Address to listen on (loopback only)', zh: '监听地址（仅限本机）' },
  },
  port: {
    kind: integer(0, 65_535),
    env: ['BENDI_PORT'],
    flag: 'port',
    default: 8400,
    description: { en: 'Port to listen on; 0 = any free one', zh: '监听端口；0 表示任意空闲端口' },
  },
  corsOrigins: {
    kind: list(origin()),
    env: ['BENDI_CORS_ORIGINS'],
    flag: 'cors-origin',
    default: [] as string[],
    description: { en: 'Origin of a web page that may call this server (repeatable)', zh: '允许访问本服务的网页来源（可重复）' },
  },
  offline: {
    kind: boolean(),
    env: ['BENDI_OFFLINE'],
    flag: 'offline',
    default: false,
    description: { en: 'Never use the network', zh: '不使用网络' },
  },
  model: {
    kind: text({ en: 'a model reference', zh: '模型引用' }),
    env: ['BENDI_MODEL'],
    flag: 'model',
    description: { en: 'Model to run; chosen for this machine when absent', zh: '要运行的模型；不指定则按本机情况选择' },
  },
  context: {
    kind: tokens(64, 16_777_216),
    env: ['BENDI_CONTEXT'],
    flag: 'context',
    description: { en: 'Tokens that one request may use (prompt and answer)', zh: '单个请求可用的 token 数（提示与回答）' },
  },
  parallel: {
    kind: integer(1, 64),
    env: ['BENDI_PARALLEL'],
    flag: 'parallel',
    description: { en: 'Requests that run at the same time', zh: '同时运行的请求数' },
  },
  kvLayout: {
    kind: choice(['auto', 'unified', 'split']),
    env: ['BENDI_KV_LAYOUT'],
    flag: 'kv-layout',
    default: 'auto' as const,
    description: { en: 'Layout of the KV cache', zh: 'KV 缓存布局' },
  },
  kvType: {
    kind: choice(['f16', 'q8_0', 'q4_0']),
    env: ['BENDI_KV_TYPE'],
    flag: 'kv-type',
    description: { en: 'Number format of the KV cache', zh: 'KV 缓存的数值格式' },
  },
  threads: {
    kind: integer(1, 1024),
    env: ['BENDI_THREADS'],
    flag: 'threads',
    description: { en: 'CPU threads for the engine', zh: '引擎使用的 CPU 线程数' },
  },
  kernel: {
    kind: text({ en: 'a CPU kernel variant, e.g. haswell', zh: 'CPU 内核变体，例如 haswell' }),
    env: ['BENDI_KERNEL'],
    flag: 'kernel',
    description: { en: 'CPU kernel variant; measured when absent', zh: 'CPU 内核变体；不指定则实测选择' },
  },
  gpuLayers: {
    kind: integer(-1, 100_000),
    env: ['BENDI_GPU_LAYERS'],
    flag: 'gpu-layers',
    description: { en: 'Layers on the GPU; -1 = all', zh: '放到 GPU 的层数；-1 表示全部' },
  },
  keepAlive: {
    kind: duration(),
    env: ['BENDI_KEEP_ALIVE'],
    flag: 'keep-alive',
    default: 300,
    description: {
      en: 'How long a model that a request started stays loaded when idle; -1 = for ever',
      zh: '由请求启动的模型空闲后保留的时间；-1 表示永久',
    },
  },
  speculation: {
    kind: boolean(),
    env: ['BENDI_SPECULATION'],
    flag: 'speculation',
    default: true,
    description: { en: 'Guess repeated text ahead (same answers, faster)', zh: '预测重复文本（结果相同，更快）' },
  },
  kvSave: {
    kind: boolean(),
    env: ['BENDI_KV_SAVE'],
    flag: 'kv-save',
    default: true,
    description: { en: 'Keep computed prompts on disk across restarts', zh: '将已计算的提示保存到磁盘，重启后可用' },
  },
  kvDiskBytes: {
    kind: bytes(),
    env: ['BENDI_KV_DISK'],
    flag: 'kv-disk',
    default: 4e9,
    description: { en: 'Disk for computed prompts, at most', zh: '已计算提示占用磁盘的上限' },
  },
  cacheBytes: {
    kind: bytes(),
    env: ['BENDI_CACHE'],
    flag: 'cache',
    description: { en: 'Memory for the prefix cache outside the KV cache, at most', zh: 'KV 缓存之外前缀缓存的内存上限' },
  },
  targetStepMs: {
    kind: integer(1, 60_000),
    env: ['BENDI_TARGET_STEP_MS'],
    flag: 'target-step-ms',
    description: {
      en: 'Longest gap between two tokens that another prompt may cause, ms',
      zh: '其他提示可造成的 token 间最长间隔（毫秒）',
    },
  },
  maxWaiting: {
    kind: integer(0, 100_000),
    env: ['BENDI_MAX_WAITING'],
    flag: 'max-waiting',
    default: 256,
    description: { en: 'Requests that may wait for a model; more are refused', zh: '每个模型允许排队的请求数；超出则拒绝' },
  },
  fileLimit: {
    kind: bytes(),
    env: ['BENDI_FILE_LIMIT'],
    flag: 'file-limit',
    default: 512e6,
    description: { en: 'Size of one uploaded file, at most', zh: '单个上传文件的大小上限' },
  },
  batchParallel: {
    kind: integer(1, 64),
    env: ['BENDI_BATCH_PARALLEL'],
    flag: 'batch-parallel',
    default: 2,
    description: { en: 'Requests of batches that run at the same time', zh: '批量请求中同时运行的请求数' },
  },
  hfEndpoint: {
    kind: httpUrl(),
    env: ['HF_ENDPOINT'],
    flag: 'hf-endpoint',
    description: { en: 'Hugging Face address or mirror', zh: 'Hugging Face 地址或镜像' },
  },
  hfToken: {
    kind: text(),
    env: ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'],
    flag: 'hf-token',
    secret: true,
    description: { en: 'Hugging Face token, for models behind a licence', zh: 'Hugging Face 令牌，用于需要许可的模型' },
  },
  hfMirror: {
    kind: text({ en: 'an address, or off', zh: '地址或 off' }),
    env: ['BENDI_HF_MIRROR'],
    flag: 'hf-mirror',
    description: { en: 'Mirror asked beside Hugging Face; off = none', zh: '与 Hugging Face 同时尝试的镜像；off 表示不用' },
  },
  modelscopeEndpoint: {
    kind: httpUrl(),
    env: ['MODELSCOPE_ENDPOINT'],
    flag: 'modelscope-endpoint',
    description: { en: 'ModelScope address or mirror', zh: 'ModelScope 地址或镜像' },
  },
  modelscopeToken: {
    kind: text(),
    env: ['MODELSCOPE_API_TOKEN'],
    flag: 'modelscope-token',
    secret: true,
    description: { en: 'ModelScope token, for private models', zh: 'ModelScope 令牌，用于私有模型' },
  },
  pip: {
    kind: text({ en: 'a command, or off', zh: '命令或 off' }),
    env: ['BENDI_PIP'],
    flag: 'pip',
    description: { en: 'pip command for pypi: references; off = download without pip', zh: 'pypi: 引用所用的 pip 命令；off 表示不用 pip' },
  },
  pipIndexUrl: {
    kind: httpUrl(),
    env: ['PIP_INDEX_URL'],
    flag: 'pip-index-url',
    description: { en: 'Python package index, for pypi: references', zh: 'Python 包索引，用于 pypi: 引用' },
  },
  httpProxy: {
    kind: text(),
    env: ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'],
    flag: 'http-proxy',
    secret: true,
    description: { en: 'Proxy for http addresses', zh: 'http 代理' },
  },
  httpsProxy: {
    kind: text(),
    env: ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'],
    flag: 'https-proxy',
    secret: true,
    description: { en: 'Proxy for https addresses', zh: 'https 代理' },
  },
  noProxy: {
    kind: text(),
    env: ['NO_PROXY', 'no_proxy'],
    flag: 'no-proxy-for',
    description: { en: 'Hosts reached without the proxy, separated by commas', zh: '不经代理的主机，以逗号分隔' },
  },
  caFile: {
    kind: text({ en: 'a PEM file', zh: 'PEM 文件' }),
    env: ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE'],
    flag: 'ca-file',
    description: { en: "Certificates to trust beside the system's", zh: '系统证书之外信任的证书' },
  },
  peers: {
    kind: list(text({ en: 'host or host:port', zh: '主机或 主机:端口' })),
    env: ['BENDI_PEERS'],
    flag: 'peer',
    default: [] as string[],
    description: {
      en: 'Another bendi on the LAN that downloads may come from (repeatable)',
      zh: '局域网内可作为下载源的其他 bendi（可重复）',
    },
  },
  peerSharing: {
    kind: boolean(),
    env: ['BENDI_PEER_SHARING'],
    flag: 'peer-sharing',
    default: false,
    description: { en: 'Let other bendi servers download models from this one', zh: '允许其他 bendi 从本机下载模型' },
  },
  limitRate: {
    kind: bytes(),
    env: ['BENDI_LIMIT_RATE'],
    flag: 'limit-rate',
    description: { en: 'All downloads together, at most so many bytes per second', zh: '所有下载合计的速度上限（每秒字节数）' },
  },
  modelFolders: {
    kind: list(text({ en: 'a folder', zh: '目录' })),
    env: ['BENDI_MODEL_FOLDERS'],
    flag: 'model-folder',
    default: [] as string[],
    description: { en: 'Another folder with models, e.g. on another disk (repeatable)', zh: '其他模型目录，例如另一块磁盘（可重复）' },
  },
  useStores: {
    kind: boolean(),
    env: ['BENDI_USE_STORES'],
    flag: 'use-stores',
    default: true,
    description: {
      en: 'Link what the Hugging Face cache, Ollama or LM Studio have already, instead of downloading it',
      zh: '若 Hugging Face 缓存、Ollama 或 LM Studio 中已有，则直接链接而不下载',
    },
  },
  hfCache: {
    kind: text({ en: 'a folder', zh: '目录' }),
    env: ['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE'],
    flag: 'hf-cache',
    description: { en: "Hugging Face's cache", zh: 'Hugging Face 缓存目录' },
  },
  ollamaModels: {
    kind: text({ en: 'a folder', zh: '目录' }),
    env: ['OLLAMA_MODELS'],
    flag: 'ollama-models',
    description: { en: "Ollama's models", zh: 'Ollama 模型目录' },
  },
  lmStudioModels: {
    kind: text({ en: 'a folder', zh: '目录' }),
    env: ['BENDI_LM_STUDIO_MODELS'],
    flag: 'lm-studio-models',
    description: { en: "LM Studio's models", zh: 'LM Studio 模型目录' },
  },
  open: {
    kind: boolean(),
    env: ['BENDI_OPEN'],
    flag: 'open',
    default: true,
    description: { en: 'Open the page in the browser', zh: '在浏览器中打开页面' },
  },
  logLevel: {
    kind: choice(LOG_LEVELS),
    env: ['BENDI_LOG_LEVEL'],
    flag: 'log-level',
    default: 'info' as const,
    description: { en: 'How much is logged', zh: '日志详细程度' },
  },
  language: {
    kind: choice(LANGUAGES),
    env: ['BENDI_LANG'],
    flag: 'lang',
    description: { en: 'Language of messages; otherwise from LC_ALL or LANG', zh: '消息语言；默认取自 LC_ALL 或 LANG' },
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settings

type OutputOf<Name extends SettingName> = z.output<(typeof settings)[Name]['kind']['schema']>
/** Those that are never absent: with a default in the table, or derived from the machine. */
type Present =
  | { [Name in SettingName]: (typeof settings)[Name] extends { default: unknown } ? Name : never }[SettingName]
  | 'home'
  | 'language'

/** The validated settings, frozen. */
export type Config = Readonly<{ [Name in Present]: OutputOf<Name> } & { [Name in Exclude<SettingName, Present>]?: OutputOf<Name> }>

export const SETTING_NAMES: readonly SettingName[] = Object.keys(settings) as SettingName[]

/** The table's entry for a name, in its general form. */
export function settingOf(name: SettingName): Setting {
  return settings[name]
}
