/** A GGUF at a plain address. Nobody says what its sha256 should be: the manifest keeps the one that was received. */
import path from 'node:path'

import { formatReference } from '../reference.ts'
import type { Reference } from '../reference.ts'
import type { ResolvedModel } from './source.ts'

export function resolveHttps(reference: Extract<Reference, { type: 'https' }>): ResolvedModel {
  const url = new URL(reference.url)
  return {
    reference: formatReference(reference),
    source: url.host,
    files: [{ kind: 'download', path: path.posix.basename(decoded(url.pathname)), urls: [{ name: url.host, url: reference.url }] }],
  }
}

/** An address may hold a `%` that stands for nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
