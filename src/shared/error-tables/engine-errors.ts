/** Errors of engines, deployments and the machine. */
import type { ErrorEntry } from './error-entry.ts'

export const engineErrors = {
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
      zh: '提示需要 {needed} 个 token，上下文窗口为 {window}；本机最多可提供 {possible}。',
    },
    hint: {
      en: 'Shorten the prompt, or let the oldest turns be dropped with "truncation": "auto". A longer window needs more free memory (--kv-type q8_0 halves what it takes) or a model with a longer one.',
      zh: '请缩短提示，或用 "truncation": "auto" 丢弃最早的轮次。更长的窗口需要更多空闲内存（--kv-type q8_0 可减半），或换用窗口更长的模型。',
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
  'invalid-schema': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'The JSON schema cannot be used: {reason}', zh: 'JSON Schema 不可用：{reason}' },
    hint: { en: 'docs/structured-output.md names the keywords that work.', zh: '可用的关键字见 docs/structured-output.zh.md。' },
  },
  'invalid-pattern': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'The regular expression cannot be used: {reason}', zh: '正则表达式不可用：{reason}' },
  },
  'constraint-too-slow': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'The form that the answer has to keep to is too complex: {reason}', zh: '回答须遵守的格式过于复杂：{reason}' },
    hint: { en: 'Fewer alternatives and smaller repetitions make it quicker.', zh: '减少可选分支、缩小重复次数可以加快处理。' },
  },
  'infill-unsupported': {
    status: 400,
    type: 'invalid_request_error',
    message: {
      en: '{model} cannot fill in the middle: its vocabulary has no tokens for that.',
      zh: '{model} 不支持中间填充：词表中没有相应的 token。',
    },
    hint: { en: 'Use a code model, for example qwen2.5-coder.', zh: '请使用代码模型，例如 qwen2.5-coder。' },
  },
  'cannot-rerank': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: '{model} is not a reranker.', zh: '{model} 不是重排序模型。' },
    hint: { en: 'Start one whose file says so, for example bge-reranker-v2-m3.', zh: '请启动重排序模型，例如 bge-reranker-v2-m3。' },
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
    message: { en: 'The server is shutting down.', zh: '服务正在关闭。' },
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
} as const satisfies Record<string, ErrorEntry>
