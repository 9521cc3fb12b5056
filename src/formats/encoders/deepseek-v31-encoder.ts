/** DeepSeek V3.1 and V3.2-Exp without a template. Source: assets/chat_template.jinja of the model; earlier thoughts are dropped. */
import type { Message } from '../../shared/generate.ts'
import { deepseekV31, deepseekV31ToolText } from '../dialects/deepseek-v31.ts'
import { type EncoderInput, splitThought } from './encoder-input.ts'

export function encodeDeepseekV31(input: EncoderInput): string {
  const { messages, tools, thinking, bos } = input
  const system = messages.filter(isSystem).map(({ content }) => content)
  const told = tools.length > 0 ? [...system, deepseekV31ToolText(tools)] : system
  const turns = messages.filter((message) => !isSystem(message))
  const asks = input.ask && turns.at(-1)?.role === 'user'
  return (
    bos +
    told.join('\n\n') +
    turns.map((message, index) => renderTurn(message, { input, previous: turns[index - 1], isLast: index === turns.length - 1 })).join('') +
    (asks ? `<｜Assistant｜>${thinking ? '<think>' : '</think>'}` : '')
  )
}

function renderTurn(message: Message, place: { input: EncoderInput; previous: Message | undefined; isLast: boolean }): string {
  if (message.role === 'user') return `<｜User｜>${message.content}`
  if (message.role === 'tool') return `<｜tool▁output▁begin｜>${message.content}<｜tool▁output▁end｜>`
  const { input, previous, isLast } = place
  // After a tool result the model goes on without a new turn.
  const lead = previous?.role === 'user' ? '<｜Assistant｜></think>' : ''
  return lead + splitThought(message).answer + encodeCalls(message) + (isLast && !input.ask ? '' : input.eos)
}

function encodeCalls({ toolCalls = [] }: Message): string {
  const { tools } = deepseekV31
  if (toolCalls.length === 0 || tools.type !== 'named') return ''
  const calls = toolCalls.map((call) => tools.callBegin + call.name + tools.nameEnd + call.arguments + tools.callEnd)
  return tools.begin + calls.join(tools.separator) + tools.end
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer'
}
