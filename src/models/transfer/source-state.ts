/** One place that a file comes from, and what is known of it so far. */
import type { Localized } from '../../shared/language.ts'
import type { Verdict } from '../part-journal.ts'
import type { FileSourceUrl } from '../hubs/source.ts'

export interface SourceState {
  name: string
  url: FileSourceUrl
  /** `waiting`: after a failure, for a while. `dropped`: not asked again. */
  state: 'ready' | 'waiting' | 'dropped'
  /** Connections now. */
  active: number
  /** Connections at most; falls when the source says that it is busy. */
  limit: number
  /** Without a success in between. */
  failures: number
  lastFailureAt: number
  /** Of one connection, bytes per second; 0 = not measured. */
  speed: number
  receivedBytes: number
  /** Samples in which it agreed with another source. */
  agreements: number
  verdict?: Verdict
  /** It sends the whole file whatever is asked for. */
  ignoresRanges: boolean
  /** Where its redirect led last: hubs give an address in their storage, good for many requests. */
  direct?: { url: string; until: number }
  /** The last thing that went wrong. */
  trouble?: Trouble
}

export const TROUBLE_KINDS = [
  'unreachable',
  'busy',
  'refused',
  'stalled',
  'cut',
  'slow',
  'wrong-length',
  'wrong-part',
  'web-page',
  'changed',
  'lied',
  'doubted',
] as const
export type TroubleKind = (typeof TROUBLE_KINDS)[number]

export interface Trouble {
  kind: TroubleKind
  source: string
  /** For the log and the last error. */
  message: string
  /** ms until it is asked again. */
  pauseMs?: number
}

/** A try failed in a way that another try, or another source, may mend. */
export class SourceFailure extends Error {
  readonly kind: TroubleKind
  /** As the server asked. */
  readonly waitMs: number | undefined
  /** Another try would end in the same way. */
  readonly isFinal: boolean

  constructor(kind: TroubleKind, message: string, options: ErrorOptions & { waitMs?: number; isFinal?: boolean } = {}) {
    super(message, options)
    this.name = 'SourceFailure'
    this.kind = kind
    this.waitMs = options.waitMs
    this.isFinal = options.isFinal ?? false
  }
}

/** How often a source may fail so before it is given up; `attempts` for what comes and goes. */
export function triesAfter({ kind, isFinal }: SourceFailure, attempts: number): number {
  if (isFinal) return 1
  // A portal, or another file: seldom gone after a minute.
  return kind === 'wrong-length' || kind === 'web-page' ? Math.min(2, attempts) : attempts
}

export function newSource(url: FileSourceUrl, limit: number, verdict?: Verdict): SourceState {
  return {
    name: url.name,
    url,
    state: 'ready',
    active: 0,
    limit,
    failures: 0,
    lastFailureAt: Number.NEGATIVE_INFINITY,
    speed: 0,
    receivedBytes: 0,
    agreements: verdict === 'agreed' ? TRUSTED_AGREEMENTS : 0,
    ...(verdict === undefined ? {} : { verdict }),
    ignoresRanges: false,
  }
}

/** After so many samples a source is no longer held back. */
export const TRUSTED_AGREEMENTS = 2

const TROUBLE_TEXTS: Record<TroubleKind, Localized> = {
  unreachable: { en: '{source} cannot be reached', zh: '无法连接 {source}' },
  busy: { en: '{source} is busy and asks us to wait', zh: '{source} 繁忙，要求等待' },
  refused: { en: '{source} refuses', zh: '{source} 拒绝访问' },
  stalled: { en: '{source} has stopped sending', zh: '{source} 停止发送数据' },
  cut: { en: 'the connection to {source} broke', zh: '与 {source} 的连接中断' },
  slow: { en: '{source} is slow; more is taken from the others', zh: '{source} 较慢，已改用其他下载源' },
  'wrong-length': { en: '{source} has a file of another length', zh: '{source} 的文件长度不符' },
  'wrong-part': { en: '{source} sent another part than was asked for', zh: '{source} 返回了错误的片段' },
  'web-page': { en: '{source} sent a web page instead of the file', zh: '{source} 返回的是网页而非文件' },
  changed: { en: 'the file at {source} has changed', zh: '{source} 上的文件已变更' },
  doubted: {
    en: '{source} has other bytes than another source; it is left out for now',
    zh: '{source} 的数据与其他下载源不一致，暂不使用',
  },
  lied: { en: '{source} sent wrong bytes and is not used any more', zh: '{source} 发送了错误的数据，已停用' },
}

/** Why a download is slow, for people. */
export function troubleText({ kind, source, pauseMs }: Trouble): Localized {
  const text = TROUBLE_TEXTS[kind]
  const seconds = Math.round((pauseMs ?? 0) / 1000)
  return {
    en: `${text.en.replace('{source}', source)}${seconds > 0 ? `; next try in ${seconds} s` : ''}`,
    zh: `${text.zh.replace('{source}', source)}${seconds > 0 ? `，${seconds} 秒后重试` : ''}`,
  }
}
