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
    ignored: ignoredFields(call, EmbeddingRequestSchema.shape),
  }
}

function inputsOf(input: EmbeddingRequest['input']): EmbedRequest['inputs'] {
  if (typeof input === 'string') return [input]
  return isTokenList(input) ? [input] : input
}

function isTokenList(input: string[] | number[] | number[][]): input is number[] {
  return typeof input[0] === 'number'
}

/** Throws `unsupported-field` when `dimensions` asks for another length than the model's. */
export function embeddingReply(result: EmbedResult, call: EmbeddingCall, model: string): EmbeddingList {
  if (call.dimensions !== undefined && call.dimensions !== result.dimensions) {
    throw new AppError('unsupported-field', { field: 'dimensions', reason: `the vectors of this model have ${result.dimensions} numbers` })
  }
  return {
    object: 'list',
    model,
    data: result.vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: call.encoding === 'base64' ? base64Of(vector) : Array.from(vector),
    })),
    usage: { prompt_tokens: result.promptTokens, total_tokens: result.promptTokens },
  }
}

/** Little-endian float32, whatever this machine's own order is. */
function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((number, index) => bytes.writeFloatLE(number, index * 4))
  return bytes.toString('base64')
}
