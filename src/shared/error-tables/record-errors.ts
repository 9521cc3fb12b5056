/** Errors of what lasts: the store, stored responses, files and batches. */
import type { ErrorEntry } from './error-entry.ts'

export const recordErrors = {
  'store-unavailable': {
    status: 507,
    type: 'server_error',
    message: { en: 'Nothing can be stored now: {reason}', zh: '目前无法存储数据：{reason}' },
    hint: {
      en: 'Make room on the disk of the data folder, or make the folder writable. Requests with "store": false go on working.',
      zh: '请为数据目录所在磁盘腾出空间，或使该目录可写。带 "store": false 的请求不受影响。',
    },
  },
  'response-not-found': {
    status: 404,
    type: 'invalid_request_error',
    message: { en: 'There is no response with the id "{id}".', zh: '没有 id 为 "{id}" 的响应。' },
    hint: {
      en: 'It was deleted, has expired, or was made with "store": false.',
      zh: '它可能已被删除、已过期，或创建时使用了 "store": false。',
    },
  },
  'previous-response-not-found': {
    status: 404,
    type: 'invalid_request_error',
    message: { en: 'There is no previous response with the id "{id}".', zh: '没有 id 为 "{id}" 的上一个响应。' },
    hint: {
      en: 'It was deleted, has expired, or was made with "store": false. Send the whole conversation as input instead.',
      zh: '它可能已被删除、已过期，或创建时使用了 "store": false。请改为在 input 中发送完整对话。',
    },
  },
  'stored-file-not-found': {
    status: 404,
    type: 'invalid_request_error',
    message: { en: 'There is no file with the id "{id}".', zh: '没有 id 为 "{id}" 的文件。' },
  },
  'file-in-use': {
    status: 409,
    type: 'invalid_request_error',
    message: { en: 'The file "{id}" is read by the batch "{batch}".', zh: '文件 "{id}" 正被批量请求 "{batch}" 读取。' },
    hint: { en: 'Cancel the batch first.', zh: '请先取消该批量请求。' },
  },
  'batch-not-found': {
    status: 404,
    type: 'invalid_request_error',
    message: { en: 'There is no batch with the id "{id}".', zh: '没有 id 为 "{id}" 的批量请求。' },
  },
  'batch-ended': {
    status: 409,
    type: 'invalid_request_error',
    message: { en: 'The batch "{id}" cannot be cancelled: it is {status}.', zh: '批量请求 "{id}" 无法取消：当前状态为 {status}。' },
  },
} as const satisfies Record<string, ErrorEntry>
