/** The chat reply that is not streamed. Pure. */
import type { FinishReason } from '../../shared/generate.ts'
import type { ChatCompletion } from '../../shared/openai.ts'
import type { Answer, AnswerChoice } from '../collect-answer.ts'
import type { ChatShape } from './openai-chat.ts'
import { wireLogprobs, wireNotices, wireTimings, wireUsage, type ReplyHead } from './openai-reply.ts'

type WireChoice = ChatCompletion['choices'][number]

const FINISH_REASONS = { stop: 'stop', length: 'length', 'tool-calls': 'tool_calls' } as const satisfies Record<FinishReason, string>

export function chatFinishReason(reason: FinishReason, legacyFunctions: boolean): WireChoice['finish_reason'] {
  return reason === 'tool-calls' && legacyFunctions ? 'function_call' : FINISH_REASONS[reason]
}

export function chatCompletion(answer: Answer, head: ReplyHead, shape: ChatShape): ChatCompletion {
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    system_fingerprint: head.fingerprint,
    choices: answer.choices.map((choice, index) => ({
      index,
      message: messageOf(choice, shape),
      logprobs: shape.withLogprobs ? choiceLogprobs(choice, shape) : null,
      finish_reason: chatFinishReason(choice.reason, shape.legacyFunctions),
    })),
    usage: wireUsage(answer.usage),
    ...(shape.serviceTier ? { service_tier: shape.serviceTier } : {}),
    ...(shape.metadata ? { metadata: shape.metadata } : {}),
    timings: wireTimings(answer.timings, answer.usage),
    ...(answer.notices.length > 0 ? { bendi: { notices: wireNotices(answer.notices) } } : {}),
  }
}

function messageOf(choice: AnswerChoice, shape: ChatShape): WireChoice['message'] {
  const text = shape.reasoning === 'think' ? withThoughtTags(choice) : choice.text
  return {
    role: 'assistant',
    content: choice.toolCalls.length > 0 && text === '' ? null : text,
    refusal: null,
    annotations: [],
    ...reasoningFields(choice.reasoning, shape.reasoning),
    ...callFields(choice, shape.legacyFunctions),
  }
}

export const THOUGHT_OPEN = '<think>\n'
export const THOUGHT_CLOSE = '\n</think>\n\n'

function withThoughtTags({ reasoning, text }: AnswerChoice): string {
  return reasoning === '' ? text : `${THOUGHT_OPEN}${reasoning}${THOUGHT_CLOSE}${text}`
}

/** The fields that carry a piece of thought, by the reply's dialect; none for `think`, `text` and `hidden`. */
export function reasoningFields(text: string, format: ChatShape['reasoning']): { reasoning_content?: string; reasoning?: string } {
  if (text === '') return {}
  switch (format) {
    case 'reasoning_content':
      return { reasoning_content: text }
    case 'reasoning':
      return { reasoning: text }
    case 'both':
      return { reasoning_content: text, reasoning: text }
    case 'think':
    case 'hidden':
    case 'text':
      return {}
  }
}

function callFields({ toolCalls }: AnswerChoice, legacy: boolean): Pick<WireChoice['message'], 'tool_calls' | 'function_call'> {
  const [first] = toolCalls
  if (!first) return {}
  if (legacy) return { function_call: { name: first.name, arguments: first.arguments } }
  return { tool_calls: toolCalls.map(({ id, name, arguments: text }) => ({ id, type: 'function', function: { name, arguments: text } })) }
}

/** The tokens of thoughts go where the thoughts go: beside the others (our extension), among them, or nowhere. */
function choiceLogprobs({ textLogprobs, reasoningLogprobs }: AnswerChoice, { reasoning }: ChatShape): WireChoice['logprobs'] {
  if (reasoning === 'think') return { content: wireLogprobs([...reasoningLogprobs, ...textLogprobs]), refusal: null }
  const beside = reasoningLogprobs.length > 0 && reasoning !== 'hidden' ? { reasoning_content: wireLogprobs(reasoningLogprobs) } : {}
  return { content: wireLogprobs(textLogprobs), refusal: null, ...beside }
}
