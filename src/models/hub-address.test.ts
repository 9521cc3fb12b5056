import { expect, test } from 'vitest'

import { parseReference } from './reference.ts'

test.each([
  ['https://huggingface.co/org/repo', 'hf:org/repo'],
  ['https://huggingface.co/org/repo/tree/main', 'hf:org/repo'],
  ['https://huggingface.co/org/repo/blob/main/a/x-Q4_K_M.gguf', 'hf:org/repo/a/x-Q4_K_M.gguf'],
  ['https://huggingface.co/org/repo/resolve/refs%2Fpr%2F1/x.gguf?download=true', 'hf:org/repo/x.gguf@refs/pr/1'],
  ['https://hf-mirror.com/org/repo/resolve/v1.0/x.gguf', 'hf:org/repo/x.gguf@v1.0'],
  ['hf.co/org/repo:q4_k_m', 'hf:org/repo:Q4_K_M'],
  ['huggingface.co/org/repo', 'hf:org/repo'],
  ['https://www.modelscope.cn/models/org/repo', 'ms:org/repo'],
  ['https://modelscope.cn/models/org/repo/summary', 'ms:org/repo'],
  ['https://modelscope.cn/models/org/repo/file/view/master/x.gguf?status=2', 'ms:org/repo/x.gguf'],
  ['https://modelscope.cn/models/org/repo/resolve/master/x.gguf', 'ms:org/repo/x.gguf'],
  ['https://example.com/org/repo/x.gguf', 'https://example.com/org/repo/x.gguf'],
  ['org/repo', 'hf:org/repo'],
])('%s means %s', (address, reference) => {
  expect(parseReference(address).text).toBe(reference)
})
