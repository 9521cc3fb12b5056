/** The events of an answer folded into one value, for replies that are not streamed. */
import { fromWireError, AppError } from '../shared/errors.ts'
import type { FinishReason, GenerateEvent, Notice, Timings, TokenLogprob, Usage } from '../shared/generate.ts'

export interface AnswerChoice {
  text: string
  reasoning: string
  toolCalls: { id: string; name: string; arguments: string }[]
  textLogprobs: TokenLogprob[]
  reasoningLogprobs: TokenLogprob[]
  reason: FinishReason
  stopSequence?: string
}

export interface Answer {
  choices: AnswerChoice[]
  usage: Usage
  timings: Timings
  notices: Notice[]
  /** When they were asked for: the prompt's tokens. */
  promptLogprobs: TokenLogprob[]
}

/** Throws the AppError of an `error` event, and `internal` when the stream ends without either end. */
export async function collectAnswer(events: AsyncIterable<GenerateEvent>, choiceCount: number): Promise<Answer> {
  const choices = Array.from({ length: choiceCount }, emptyChoice)
  const notices: Notice[] = []
  const promptLogprobs: TokenLogprob[] = []
  for await (const event of events) {
    if (event.type === 'error') throw fromWireError(event.error)
    if (event.type === 'finish') return { choices, usage: event.usage, timings: event.timings, notices, promptLogprobs }
    if (event.type === 'notice') notices.push(event.notice)
    if (event.type === 'prompt-logprobs') promptLogprobs.push(...event.tokens)
    if ('choice' in event) addToChoice(choices[event.choice], event)
  }
  throw new AppError('internal', { reason: 'the answer ended without a finish' })
}

function emptyChoice(): AnswerChoice {
  return { text: '', reasoning: '', toolCalls: [], textLogprobs: [], reasoningLogprobs: [], reason: 'stop' }
}

type ChoiceEvent = Extract<GenerateEvent, { choice: number }>

function addToChoice(choice: AnswerChoice | undefined, event: ChoiceEvent): void {
  if (!choice) return
  switch (event.type) {
    case 'text-delta':
      choice.text += event.text
      if (event.logprobs) choice.textLogprobs.push(...event.logprobs)
      return
    case 'reasoning-delta':
      choice.reasoning += event.text
      if (event.logprobs) choice.reasoningLogprobs.push(...event.logprobs)
      return
    case 'tool-call-delta': {
      const call = (choice.toolCalls[event.call] ??= { id: event.id ?? `call_${event.call}`, name: '', arguments: '' })
      if (event.id) call.id = event.id
      if (event.name) call.name += event.name
      call.arguments += event.arguments
      return
    }
    case 'choice-end':
      choice.reason = event.reason
      if (event.stopSequence !== undefined) choice.stopSequence = event.stopSequence
  }
}
