/** Errors of requests, commands and connections. */
import type { ErrorEntry } from './error-entry.ts'

export const requestErrors = {
  internal: {
    status: 500,
    type: 'server_error',
    message: { en: 'Something went wrong inside bendi: {reason}', zh: 'bendi 内部出错：{reason}' },
    hint: { en: 'This is a bug. The server log has the details.', zh: '这是程序缺陷，详情见服务日志。' },
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
  'body-too-slow': {
    status: 408,
    type: 'invalid_request_error',
    message: {
      en: 'The request body came too slowly: less than {bytes} bytes in {seconds} s.',
      zh: '请求体传输过慢：{seconds} 秒内不足 {bytes} 字节。',
    },
    hint: { en: 'Send the request again.', zh: '请重新发送请求。' },
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
    message: { en: 'The body is {type}, but only {expected} is understood.', zh: '请求体类型为 {type}，仅支持 {expected}。' },
    hint: { en: 'Send the header Content-Type: {expected}', zh: '请设置请求头 Content-Type: {expected}' },
  },
  'idempotency-key-reused': {
    status: 422,
    type: 'invalid_request_error',
    message: {
      en: 'The Idempotency-Key "{key}" was used with another request.',
      zh: 'Idempotency-Key "{key}" 已用于另一个请求。',
    },
    hint: { en: 'Use a new key for a new request.', zh: '新请求请使用新的键。' },
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
    message: { en: 'The Host "{host}" is not this server.', zh: 'Host "{host}" 不是本服务的地址。' },
    hint: { en: 'Use the address that bendi printed (127.0.0.1 or localhost).', zh: '请使用 bendi 显示的地址（127.0.0.1 或 localhost）。' },
  },
  'forbidden-origin': {
    status: 403,
    type: 'permission_error',
    message: { en: 'Pages from {origin} may not call this server.', zh: '来自 {origin} 的网页不允许访问本服务。' },
    hint: { en: 'Allow it with --cors-origin {origin}.', zh: '可用 --cors-origin {origin} 允许它。' },
  },
  'report-exists': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'There is something at {path} already.', zh: '{path} 已存在。' },
    hint: { en: 'Choose another name, or overwrite the file with --force.', zh: '请换一个文件名，或用 --force 覆盖该文件。' },
  },
  'report-not-writable': {
    status: 400,
    type: 'invalid_request_error',
    message: { en: 'The report cannot be written to {path} ({reason}).', zh: '无法将报告写入 {path}（{reason}）。' },
    hint: { en: 'Choose a folder of your own: --report ~/bendi-report.json', zh: '请选择有写权限的目录：--report ~/bendi-report.json' },
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
