/** The event stream of `/v1/responses`. Every event is numbered, from 0, without gaps. */
import { z } from 'zod'
import { ContentPartSchema, LogprobsSchema, OutputItemSchema, ResponseSchema, SummaryPartSchema } from './responses.ts'

const ofResponse = <Type extends string>(type: Type) => z.strictObject({ type: z.literal(type), response: ResponseSchema })
const ofItem = <Type extends string>(type: Type) => z.strictObject({ type: z.literal(type), output_index: z.int(), item: OutputItemSchema })
const place = { item_id: z.string(), output_index: z.int() }
const contentPlace = { ...place, content_index: z.int() }
const summaryPlace = { ...place, summary_index: z.int() }

const EventSchema = z.discriminatedUnion('type', [
  ofResponse('response.created'),
  ofResponse('response.queued'),
  ofResponse('response.in_progress'),
  ofResponse('response.completed'),
  ofResponse('response.incomplete'),
  ofResponse('response.failed'),
  ofItem('response.output_item.added'),
  ofItem('response.output_item.done'),
  z.strictObject({ type: z.literal('response.content_part.added'), ...contentPlace, part: ContentPartSchema }),
  z.strictObject({ type: z.literal('response.content_part.done'), ...contentPlace, part: ContentPartSchema }),
  z.strictObject({ type: z.literal('response.output_text.delta'), ...contentPlace, delta: z.string(), logprobs: LogprobsSchema }),
  z.strictObject({ type: z.literal('response.output_text.done'), ...contentPlace, text: z.string(), logprobs: LogprobsSchema }),
  z.strictObject({ type: z.literal('response.reasoning_text.delta'), ...contentPlace, delta: z.string() }),
  z.strictObject({ type: z.literal('response.reasoning_text.done'), ...contentPlace, text: z.string() }),
  z.strictObject({ type: z.literal('response.reasoning_summary_part.added'), ...summaryPlace, part: SummaryPartSchema }),
  z.strictObject({ type: z.literal('response.reasoning_summary_part.done'), ...summaryPlace, part: SummaryPartSchema }),
  z.strictObject({ type: z.literal('response.reasoning_summary_text.delta'), ...summaryPlace, delta: z.string() }),
  z.strictObject({ type: z.literal('response.reasoning_summary_text.done'), ...summaryPlace, text: z.string() }),
  z.strictObject({ type: z.literal('response.function_call_arguments.delta'), ...place, delta: z.string() }),
  z.strictObject({ type: z.literal('response.function_call_arguments.done'), ...place, name: z.string(), arguments: z.string() }),
  z.strictObject({ type: z.literal('response.custom_tool_call_input.delta'), ...place, delta: z.string() }),
  z.strictObject({ type: z.literal('response.custom_tool_call_input.done'), ...place, input: z.string() }),
  z.strictObject({ type: z.literal('error'), code: z.string().nullable(), message: z.string(), param: z.string().nullable() }),
])

/** An event before it is numbered, which happens when it is written. */
export type UnnumberedEvent = z.infer<typeof EventSchema>
export type ResponseEvent = UnnumberedEvent & { sequence_number: number }
export type ResponseEventType = UnnumberedEvent['type']

/** Strict, for tests and for what was stored. */
export const ResponseEventSchema = z
  .looseObject({ sequence_number: z.int().nonnegative() })
  .transform(({ sequence_number, ...event }, context): ResponseEvent => {
    const result = EventSchema.safeParse(event)
    if (result.success) return { ...result.data, sequence_number }
    for (const issue of result.error.issues) context.addIssue({ code: 'custom', path: issue.path, message: issue.message })
    return z.NEVER
  })

/** The last event of a stream. */
export function isLastEvent({ type }: UnnumberedEvent): boolean {
  return type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed' || type === 'error'
}
