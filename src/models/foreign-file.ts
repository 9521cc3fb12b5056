/** Recognises what people mistake for GGUF, so that the message says what it is and how to get a usable file. */

/** Undefined when the bytes start a GGUF file. `head` is the first 512 bytes. */
export function describeForeignFile(head: Uint8Array, bytes: number): string | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  if (text.startsWith('GGUF')) return undefined
  if (bytes === 0) return 'it is empty'
  if (text.startsWith('FUGG')) return 'it is big-endian, made for another kind of processor'
  if (/^(lmgg|fmgg|tjgg|algg)/.test(text)) return 'it has the old GGML format of 2023; get a GGUF of the same model'
  if (text.startsWith('version https://git-lfs')) return 'it is a git-lfs pointer of a few bytes; run "git lfs pull", or bendi pull'
  if (/^\s*<(!doctype|html|head|\?xml)/i.test(text)) return 'it is a web page; the download went wrong'
  if (text.startsWith('PK\u0003\u0004')) return 'it is a zip archive (PyTorch weights, or a Python package)'
  if (text.startsWith('\u0080\u0002') || text.startsWith('\u0080\u0004')) return 'it is a Python pickle (PyTorch weights)'
  if (text.startsWith('\u001f\u008b')) return 'it is a gzip archive; unpack it first'
  if (/^[^]{8}\{"/.test(text)) return 'it has the safetensors format; get a GGUF of the same model'
  if (isOnnx(head)) return 'it has the ONNX format; get a GGUF of the same model'
  return `it starts with ${[...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')} instead of "GGUF"`
}

/** A protobuf that begins with ir_version (field 1, 3 to 12) and the producer's name (field 2). */
function isOnnx(head: Uint8Array): boolean {
  const [tag, version = 0, next] = head
  return tag === 0x08 && version >= 3 && version <= 12 && next === 0x12
}
