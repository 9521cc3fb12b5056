/** `POST /v1/rerank`: Jina's and Cohere's wire ↔ RerankRequest and RerankResult. Pure. */
import type { RerankRequest, RerankResult } from '../../shared/generate.ts'
import { RerankRequestSchema, type RerankReply, type RerankRequest as WireRequest } from '../../shared/openai/rerank.ts'
import { ignoredFields, parseBody } from './request-fields.ts'

export interface RerankCall {
  request: RerankRequest
  topN: number
  returnDocuments: boolean
  ignored: string[]
}

/** Throws `invalid-request`, `invalid-field`. */
export function parseRerank(body: unknown, id: string): RerankCall {
  const call = parseBody(RerankRequestSchema, body)
  const documents = call.documents.map(textOf)
  return {
    request: { id, model: call.model, query: textOf(call.query), documents },
    topN: Math.min(call.top_n ?? documents.length, documents.length),
    returnDocuments: call.return_documents ?? false,
    ignored: ignoredFields(call, RerankRequestSchema.shape),
  }
}

function textOf(value: WireRequest['query'] | WireRequest['documents'][number]): string {
  return typeof value === 'string' ? value : value.text
}

/** The best first; equals in the order of the request. */
export function rerankReply({ scores, promptTokens }: RerankResult, call: RerankCall, model: string): RerankReply {
  const { id, documents } = call.request
  const order = scores.map((score, index) => ({ score, index })).toSorted((one, other) => other.score - one.score)
  return {
    id,
    object: 'list',
    model,
    results: order.slice(0, call.topN).map(({ score, index }) => ({
      index,
      relevance_score: score,
      ...(call.returnDocuments ? { document: { text: documents[index] ?? '' } } : {}),
    })),
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
    meta: { billed_units: { search_units: 1 }, tokens: { input_tokens: promptTokens } },
  }
}
