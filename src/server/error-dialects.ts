/** Whose form an error has, by where it was asked for. */
import type { WireError } from '../shared/generate.ts'
import { localizeError } from '../shared/errors.ts'
import type { Language } from '../shared/language.ts'
import { anthropicError } from './dialects/anthropic-reply.ts'
import { ollamaError, ollamaStatus } from './dialects/ollama-reply.ts'
import { openAiError } from './dialects/openai-reply.ts'

/** What is known of a call when it fails. */
export interface ErrorCall {
  path: string
  /** Lower-case name. */
  header(name: string): string | undefined
}

/** One form of errors. A new dialect adds itself to `ERROR_DIALECTS`, before those that own more. */
export interface ErrorDialect {
  name: string
  owns(call: ErrorCall): boolean
  body(error: WireError, language: Language, requestId: string): object
  /** Where it is not that of the table of errors. */
  status?(error: WireError): number
}

const OPENAI_PATH = /^\/(?:v[12](?:\/|$)|(?:rerank|tokenize|detokenize|apply-template|infill)$)/

export const openAiErrors: ErrorDialect = {
  name: 'openai',
  owns: ({ path }) => OPENAI_PATH.test(path),
  body: openAiError,
}

/** Its own paths, and those that it shares when the caller names Anthropic's version. */
export const anthropicErrors: ErrorDialect = {
  name: 'anthropic',
  owns: ({ path, header }) =>
    /^\/v1\/messages(?:\/|$)/.test(path) || (/^\/v1\/models(?:\/|$)/.test(path) && header('anthropic-version') !== undefined),
  body: anthropicError,
}

/** Its own paths among ours: no more than these. */
export const OLLAMA_PATH = /^\/api\/(?:chat|generate|tags|show|ps|embed|embeddings|version|pull|push|create|copy|delete|blobs\/[^/]+)$/

export const ollamaErrors: ErrorDialect = {
  name: 'ollama',
  owns: ({ path }) => OLLAMA_PATH.test(path),
  body: ollamaError,
  status: ollamaStatus,
}

/** Our own: the code, its data, and what they mean. */
export const ownErrors: ErrorDialect = {
  name: 'bendi',
  owns: () => true,
  body: (error, language) => ({ error: { ...error, ...localizeError(error, language) } }),
}

/** The first that owns a call. */
const ERROR_DIALECTS: readonly ErrorDialect[] = [anthropicErrors, openAiErrors, ollamaErrors]

export function errorDialectOf(call: ErrorCall): ErrorDialect {
  return ERROR_DIALECTS.find((dialect) => dialect.owns(call)) ?? ownErrors
}
