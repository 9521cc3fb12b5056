import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FinishReason, GenerateEvent, WireError } from '../../shared/generate.ts'
import { ResponseEventSchema, type ResponseEvent, type UnnumberedEvent } from '../../shared/response-events.ts'
import { ResponseSchema, type OutputItem, type Response } from '../../shared/responses.ts'
import { failedResponse, lastEvent, ResponseAssembler } from './openai-responses-assembler.ts'
import { createStepEncoder, mergeStep, responseSteps, type ResponseStep } from './openai-responses-stream.ts'
import { parseResponse } from './openai-responses.ts'

const USAGE = { promptTokens: 3, cachedTokens: 1, completionTokens: 5, reasoningTokens: 2 }
const TIMINGS = { queuedMs: 0, promptMs: 0, promptTokens: 0, decodeMs: 0, decodeTokens: 0, draftedTokens: 0, acceptedTokens: 0 }
const FINISH: GenerateEvent = { type: 'finish', usage: USAGE, timings: TIMINGS }

function replyFor(more: object = {}): Response {
  return parseResponse({ model: 'm', input: 'Hi', ...more }, { id: 'resp_1', newId: () => 'x', createdAt: 7 }).reply
}

const delta = fc.oneof(
  fc.record({ type: fc.constant('text-delta' as const), choice: fc.constant(0), text: fc.string({ maxLength: 5 }) }),
  fc.record({ type: fc.constant('reasoning-delta' as const), choice: fc.constant(0), text: fc.string({ maxLength: 5 }) }),
  // The number says whether it is another call; `numbered` counts them.
  fc.record({ call: fc.nat(1), arguments: fc.string({ maxLength: 5 }) }).map(({ call, arguments: text }): GenerateEvent => ({
    type: 'tool-call-delta',
    choice: 0,
    call,
    arguments: text,
  })),
  fc.constant<GenerateEvent>({ type: 'prefill', done: 1, total: 2 }),
)
const ending = fc.constantFrom<GenerateEvent[]>(
  ...(['stop', 'length', 'tool-calls'] as FinishReason[]).map((reason): GenerateEvent[] => [
    { type: 'choice-end', choice: 0, reason },
    FINISH,
  ]),
  [FINISH],
  [{ type: 'error', error: { code: 'engine-crashed', data: {}, message: 'gone' } }],
)
const streams = fc.tuple(fc.array(delta, { maxLength: 30 }), ending).map(([deltas, end]): GenerateEvent[] => [...numbered(deltas), ...end])

/** Calls one after the other, as an engine tells them: text and thoughts end one. */
function numbered(deltas: readonly GenerateEvent[]): GenerateEvent[] {
  let call = -1
  let isOpen = false
  return deltas.map((event) => {
    if (event.type !== 'tool-call-delta') {
      if (event.type !== 'prefill') isOpen = false
      return event
    }
    const isNew = !isOpen || event.call > 0
    if (isNew) call++
    isOpen = true
    return { ...event, call, ...(isNew ? { id: `call_${call}`, name: `f${call}` } : {}) }
  })
}
const wishes = fc.record({ reasoning: fc.constantFrom({}, { summary: 'auto' as const }), background: fc.boolean() })

async function* generated(events: readonly GenerateEvent[]): AsyncGenerator<GenerateEvent> {
  yield* events
}

async function allSteps(events: readonly GenerateEvent[], reply: Response): Promise<ResponseStep[]> {
  const assembler = new ResponseAssembler({ reply, now: () => 9 })
  const steps: ResponseStep[] = []
  for await (const step of responseSteps(generated(events), assembler, async () => true)) steps.push(step)
  return steps
}

/** Writes the steps and reads them back, strictly. */
function written(steps: readonly ResponseStep[]): ResponseEvent[] {
  const encoder = createStepEncoder()
  const text = steps.map((step) => encoder.encode(step)).join('')
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('event: '))
    .map((block) => {
      const [, name, data] = /^event: (.+)\ndata: (.+)$/s.exec(block) ?? []
      const event = ResponseEventSchema.parse(JSON.parse(data ?? ''))
      expect(event.type).toBe(name)
      return event
    })
}

interface Follower {
  item: OutputItem
  text: string
  done: boolean
}

/** What a careful client does: follows the events, and fails at the first that does not fit. */
function follow(events: readonly UnnumberedEvent[]): OutputItem[] {
  const items: Follower[] = []
  const at = (event: { output_index: number; item_id: string }): Follower => {
    const open = items[event.output_index]
    if (!open || open.done || open.item.id !== event.item_id) throw new Error(`no open item for ${JSON.stringify(event)}`)
    return open
  }
  for (const event of events) {
    switch (event.type) {
      case 'response.output_item.added':
        expect(event.output_index).toBe(items.length)
        expect(items.every(({ done }) => done)).toBe(true)
        items.push({ item: event.item, text: '', done: false })
        break
      case 'response.output_text.delta':
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
      case 'response.function_call_arguments.delta':
        at(event).text += event.delta
        break
      case 'response.output_text.done':
      case 'response.reasoning_text.done':
      case 'response.reasoning_summary_text.done':
        expect(event.text).toBe(at(event).text)
        break
      case 'response.function_call_arguments.done':
        expect(event.arguments).toBe(at(event).text)
        break
      case 'response.output_item.done': {
        const open = at({ ...event, item_id: event.item.id })
        open.item = event.item
        open.done = true
        break
      }
      case 'response.content_part.added':
      case 'response.content_part.done':
      case 'response.reasoning_summary_part.added':
      case 'response.reasoning_summary_part.done':
        at(event)
        break
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'error':
        break
    }
  }
  expect(items.every(({ done }) => done)).toBe(true)
  return items.map(({ item }) => item)
}

describe('any answer', () => {
  test('is told by numbered events that a careful client can follow to the same output', async () => {
    await fc.assert(
      fc.asyncProperty(streams, wishes, async (events, wish) => {
        const told = written(await allSteps(events, replyFor(wish)))
        expect(told.map(({ sequence_number: number }) => number)).toEqual(told.map((_, index) => index))
        expect(told[0]?.type).toBe('response.created')
        expect(told[1]?.type).toBe(wish.background ? 'response.queued' : 'response.in_progress')
        const last = told.at(-1)
        if (!last || !('response' in last)) throw new Error('no last event')
        expect(told.filter((event) => /\.(completed|incomplete|failed)$/.test(event.type))).toEqual([last])
        expect(follow(told)).toEqual(last.response.output)
        expect(ResponseSchema.parse(last.response)).toEqual(last.response)
        const text = events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
        const messages = last.response.output.filter((item) => item.type === 'message')
        expect(messages.flatMap(({ content }) => content.map((part) => ('text' in part ? part.text : ''))).join('')).toBe(text)
      }),
      { numRuns: 300 },
    )
  })

  test('says the same to a reader who is slow', async () => {
    await fc.assert(
      fc.asyncProperty(streams, fc.array(fc.boolean(), { maxLength: 40 }), async (events, pauses) => {
        const steps = await allSteps(events, replyFor())
        const merged: ResponseStep[] = []
        let pending: ResponseStep[] = []
        steps.forEach((step, index) => {
          mergeStep(pending, step)
          if (pauses[index]) return
          merged.push(...pending)
          pending = []
        })
        const slow = written([...merged, ...pending])
        expect(slow.map(({ sequence_number: number }) => number)).toEqual(slow.map((_, index) => index))
        expect(follow(slow)).toEqual(follow(written(steps)))
      }),
      { numRuns: 200 },
    )
  })
})

async function outputOf(events: GenerateEvent[], more: object = {}): Promise<Response> {
  const last = written(await allSteps(events, replyFor(more))).at(-1)
  if (!last || !('response' in last)) throw new Error('no response')
  return last.response
}

test('a call is done before the next one begins, as with OpenAI', async () => {
  const call = (number: number, text: string, opening = {}): GenerateEvent => ({
    type: 'tool-call-delta',
    choice: 0,
    call: number,
    arguments: text,
    ...opening,
  })
  const steps = await allSteps(
    [call(0, '{', { id: 'a', name: 'f' }), call(0, '}'), call(1, '{}', { id: 'b', name: 'g' }), FINISH],
    replyFor(),
  )
  const told = written(steps).flatMap((event) => ('output_index' in event ? [`${event.output_index} ${event.type.slice(9)}`] : []))
  const whole = (index: number, deltas: number): string[] => [
    `${index} output_item.added`,
    ...Array.from({ length: deltas }, () => `${index} function_call_arguments.delta`),
    `${index} function_call_arguments.done`,
    `${index} output_item.done`,
  ]
  expect(told).toEqual([...whole(0, 2), ...whole(1, 1)])
})

test('an empty answer still has one message', async () => {
  expect((await outputOf([FINISH])).output).toMatchObject([{ type: 'message', content: [{ type: 'output_text', text: '' }] }])
})

test('an answer that was cut is incomplete, and so is its last item', async () => {
  const response = await outputOf([
    { type: 'text-delta', choice: 0, text: 'a' },
    { type: 'choice-end', choice: 0, reason: 'length' },
    FINISH,
  ])
  expect(response).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    completed_at: null,
    output: [{ status: 'incomplete' }],
  })
})

test('with a summary asked for, the thought is told as one', async () => {
  const events: GenerateEvent[] = [{ type: 'reasoning-delta', choice: 0, text: 'hm' }, FINISH]
  const summarised = await outputOf(events, { reasoning: { summary: 'auto' } })
  expect(summarised.output[0]).toMatchObject({ type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], content: [] })
  expect((await outputOf(events)).output[0]).toMatchObject({ summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] })
})

test('logprobs go with their text, impossible ones as the lowest number there is', async () => {
  const logprobs = [{ token: 'a', bytes: [97], logprob: Number.NEGATIVE_INFINITY, top: [] }]
  const response = await outputOf([{ type: 'text-delta', choice: 0, text: 'a', logprobs }, FINISH])
  expect(response.output[0]).toMatchObject({ content: [{ logprobs: [{ token: 'a', logprob: -9999, bytes: [97], top_logprobs: [] }] }] })
})

test.each([
  ['queue-full', 'rate_limit_exceeded'],
  ['prompt-too-long', 'invalid_prompt'],
  ['engine-crashed', 'server_error'],
])('the error %s is told as %s', (code, expected) => {
  const error: WireError = { code, data: {}, message: 'x' }
  const failed = failedResponse(replyFor(), error)
  expect(ResponseSchema.parse(failed).error).toEqual({ code: expected, message: 'x' })
  expect(lastEvent(failed).type).toBe('response.failed')
})
