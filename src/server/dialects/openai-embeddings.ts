/** `POST /v1/embeddings`: wire ↔ EmbedRequest and EmbedResult. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { EmbedRequest, EmbedResult } from '../../shared/generate.ts'
import { EmbeddingRequestSchema, type EmbeddingList, type EmbeddingRequest } from '../../shared/openai.ts'
import { ignoredFields, parseBody } from './request-fields.ts'

export interface EmbeddingCall {
  request: EmbedRequest
  encoding: 'float' | 'base64'
  dimensions?: number
  ignored: string[]
}

/** Throws `invalid-request`, `invalid-field`. */
export function parseEmbedding(body: unknown, id: string): EmbeddingCall {
  const call = parseBody(EmbeddingRequestSchema, body)
  return {
    request: { id, model: call.model, inputs: inputsOf(call.input), normalize: true },
    encoding: call.encoding_format ?? 'float',
    ...(typeof call.dimensions === 'number' ? { dimensions: call.dimensions } : {}),
    ignored: [...(call.user ? ['user'] : []), ...ignoredFields(call, EmbeddingRequestSchema.shape)],
  }
}

function inputsOf(input: EmbeddingRequest['input']): EmbedRequest['inputs'] {
  if (typeof input === 'string') return [input]
  return isTokenList(input) ? [input] : input
}

function isTokenList(input: string[] | number[] | number[][]): input is number[] {
  return typeof input[0] === 'number'
}

/**
 * Families whose vectors keep their meaning when only the first numbers are taken (Matryoshka representation learning, arXiv:2205.13147), by
 * their model cards. Of any other model a shortened vector would be noise that looks like a result.
 */
const MATRYOSHKA =
  /nomic-embed-text-v(?:1\.5|2)|qwen3-embedding|embeddinggemma|jina-embeddings-v(?:3|4)|jina-code-embeddings|mxbai-embed-(?:large|2d)|snowflake-arctic-embed-(?:m-v1\.5|[ml]-v2)|gte-modernbert|modernbert-embed|text-embedding-3/i

/** `names` are all that the model is known by. */
export function isMatryoshka(names: readonly string[]): boolean {
  return names.some((name) => MATRYOSHKA.test(name.replaceAll('_', '-')))
}

/** Throws `unsupported-field` when `dimensions` asks for a length that the model cannot give. */
export function embeddingReply(result: EmbedResult, call: EmbeddingCall, model: { name: string; matryoshka: boolean }): EmbeddingList {
  const length = lengthOf(call, result, model.matryoshka)
  return {
    object: 'list',
    model: model.name,
    data: result.vectors.map((whole, index) => {
      const vector = length === result.dimensions ? whole : shortened(whole, length)
      return { object: 'embedding', index, embedding: call.encoding === 'base64' ? base64Of(vector) : Array.from(vector) }
    }),
    usage: { prompt_tokens: result.promptTokens, total_tokens: result.promptTokens },
  }
}

function lengthOf({ dimensions }: EmbeddingCall, result: EmbedResult, matryoshka: boolean): number {
  if (dimensions === undefined || dimensions === result.dimensions) return result.dimensions
  if (dimensions < result.dimensions && matryoshka) return dimensions
  const reason =
    dimensions > result.dimensions
      ? `the vectors of this model have ${result.dimensions} numbers`
      : `this model was not trained for shorter vectors (Matryoshka); leave it out, and take all ${result.dimensions} numbers`
  throw new AppError('unsupported-field', { field: 'dimensions', reason })
}

/** The first numbers, of length 1 again. */
function shortened(vector: Float32Array, length: number): Float32Array {
  const part = vector.subarray(0, length)
  const norm = Math.hypot(...part) || 1
  return part.map((number) => number / norm)
}

/** Little-endian float32, whatever this machine's own order is. */
function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((number, index) => bytes.writeFloatLE(number, index * 4))
  return bytes.toString('base64')
}
