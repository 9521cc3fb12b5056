/** Items of a conversation: as clients write them, as they are stored and listed, and as the messages that a model reads. Pure. */
import { AppError } from '../../shared/errors.ts'
import type { Message } from '../../shared/generate.ts'
import type { ConversationItem, InputItem, ResponseRequest } from '../../shared/responses.ts'
import { freeTextArguments, modelName } from './openai-responses-calls.ts'

/** An item that stands for one that was stored. */
export interface ItemReference {
  type: 'item_reference'
  id: string
  /** Where it stands in the request, for errors. */
  field: string
}

type Part = Exclude<InputItem['content'], string | null | undefined>[number]

const READS_TEXT = 'this model reads text only'
/** Why a kind of content is refused. */
const REFUSED_PARTS: Readonly<Record<string, string>> = {
  input_image: `${READS_TEXT}; describe the image in words`,
  input_file: `${READS_TEXT}; paste the file's text`,
  input_audio: `${READS_TEXT}; send a transcript`,
  computer_screenshot: READS_TEXT,
}

/** The request's input as items with ids. Throws `invalid-field`, `unsupported-field`, naming the place: `input[1].content[0]`. */
export function inputItemsOf(input: ResponseRequest['input'], newId: () => string): (ConversationItem | ItemReference)[] {
  if (input === null || input === undefined) return []
  if (typeof input !== 'string') return input.map((item, index) => itemOf(item, `input[${index}]`, newId))
  return [{ id: `msg_${newId()}`, type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text: input }] }]
}

function itemOf(item: InputItem, field: string, newId: () => string): ConversationItem | ItemReference {
  const type = item.type ?? (item.role === undefined && typeof item.id === 'string' ? 'item_reference' : 'message')
  const id = (prefix: string): string => idOf(item.id) ?? `${prefix}_${newId()}`
  switch (type) {
    case 'message':
      return messageItem(item, field, id('msg'))
    case 'reasoning':
      return reasoningItem(item, field, id('rs'))
    case 'function_call':
      return {
        id: id('fc'),
        type,
        call_id: required(item.call_id, `${field}.call_id`),
        name: required(item.name, `${field}.name`),
        ...namespaceOf(item),
        arguments: required(item.arguments, `${field}.arguments`),
        status: 'completed',
      }
    case 'custom_tool_call':
      return {
        id: id('ctc'),
        type,
        call_id: required(item.call_id, `${field}.call_id`),
        name: required(item.name, `${field}.name`),
        ...namespaceOf(item),
        input: required(item.input, `${field}.input`),
        status: 'completed',
      }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return {
        id: id(type === 'function_call_output' ? 'fco' : 'ctco'),
        type,
        call_id: required(item.call_id, `${field}.call_id`),
        output: outputOf(item, field),
        status: 'completed',
      }
    case 'item_reference':
      return { type, id: required(item.id, `${field}.id`), field }
    default:
      throw new AppError('unsupported-field', {
        field,
        reason: `items of type "${type}" need a tool that is not here; only messages, function calls, their outputs and reasoning are understood`,
      })
  }
}

function namespaceOf({ namespace }: InputItem): { namespace?: string } {
  return namespace ? { namespace } : {}
}

/** A client's own id is kept when it is one. */
function idOf(id: string | null | undefined): string | undefined {
  return typeof id === 'string' && /^[\w.:-]{1,128}$/.test(id) ? id : undefined
}

function messageItem({ role, content }: InputItem, field: string, id: string): ConversationItem {
  if (role === undefined) throw invalid(`${field}.role`, 'expected user, assistant, system or developer')
  const texts = textsOf(content, `${field}.content`)
  if (role !== 'assistant') {
    return { id, type: 'message', role, status: 'completed', content: texts.map((text) => ({ type: 'input_text', text })) }
  }
  const parts = texts.map((text) => ({ type: 'output_text' as const, text, annotations: [], logprobs: [] }))
  return { id, type: 'message', role, status: 'completed', content: parts }
}

function reasoningItem(item: InputItem, field: string, id: string): ConversationItem {
  const texts = (parts: InputItem['content'], name: string): string[] => (parts ? textsOf(parts, `${field}.${name}`) : [])
  return {
    id,
    type: 'reasoning',
    summary: texts(item.summary, 'summary').map((text) => ({ type: 'summary_text', text })),
    content: texts(item.content, 'content').map((text) => ({ type: 'reasoning_text', text })),
    ...(item.encrypted_content ? { encrypted_content: item.encrypted_content } : {}),
    status: 'completed',
  }
}

function outputOf({ output }: InputItem, field: string): string | { type: 'input_text'; text: string }[] {
  if (output === undefined) throw invalid(`${field}.output`, 'expected a text or a list of parts')
  return typeof output === 'string' ? output : textsOf(output, `${field}.output`).map((text) => ({ type: 'input_text', text }))
}

function textsOf(content: InputItem['content'], field: string): string[] {
  if (typeof content === 'string') return [content]
  if (!content) throw invalid(field, 'expected a text or a list of parts')
  return content.map((part, index) => partText(part, `${field}[${index}]`))
}

const TEXT_PARTS = new Set(['input_text', 'output_text', 'text', 'summary_text', 'reasoning_text'])

function partText({ type, text, refusal }: Part, field: string): string {
  if (TEXT_PARTS.has(type)) return required(text, `${field}.text`)
  if (type === 'refusal') return refusal ?? ''
  const reason = Object.hasOwn(REFUSED_PARTS, type) ? REFUSED_PARTS[type] : undefined
  if (reason) throw new AppError('unsupported-field', { field, reason: `${type}: ${reason}` })
  throw invalid(`${field}.type`, 'expected input_text or output_text')
}

export interface ConversationOptions {
  instructions: string | null
  /** The text that this server sealed; undefined for anything else. */
  unseal(sealed: string): string | undefined
}

/** Thoughts, text and calls that follow each other are one turn of the assistant. Throws `invalid-field` for an output without its call. */
export function conversationMessages(items: readonly ConversationItem[], { instructions, unseal }: ConversationOptions): Message[] {
  const messages: Message[] = instructions ? [{ role: 'system', content: instructions }] : []
  const names = new Map<string, string>()
  let turn: Message | undefined
  /** The assistant's running turn, or a new one when it has got further than this item may come. */
  const turnFor = (hasPassed: (turn: Message) => boolean): Message => {
    if (turn && !hasPassed(turn)) return turn
    turn = { role: 'assistant', content: '' }
    messages.push(turn)
    return turn
  }
  for (const item of items) {
    switch (item.type) {
      case 'message': {
        if (item.role !== 'assistant') {
          turn = undefined
          messages.push({ role: item.role, content: item.content.map(({ text }) => text).join('\n') })
          break
        }
        const texts = item.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text))
        turnFor(({ content, toolCalls }) => content !== '' || toolCalls !== undefined).content = texts.join('\n')
        break
      }
      case 'reasoning':
        turnFor(({ content, reasoning, toolCalls }) => content !== '' || reasoning !== undefined || toolCalls !== undefined).reasoning =
          thoughtOf(item, unseal)
        break
      case 'function_call':
      case 'custom_tool_call': {
        const name = modelName(item)
        names.set(item.call_id, name)
        const open = turnFor(() => false)
        const text = item.type === 'function_call' ? item.arguments : freeTextArguments(item.input)
        open.toolCalls = [...(open.toolCalls ?? []), { id: item.call_id, name, arguments: text }]
        break
      }
      case 'function_call_output':
      case 'custom_tool_call_output': {
        turn = undefined
        const name = names.get(item.call_id)
        if (name === undefined) throw invalid('input', `there is no function call with the call_id "${item.call_id}" before its output`)
        const content = typeof item.output === 'string' ? item.output : item.output.map(({ text }) => text).join('\n')
        messages.push({ role: 'tool', content, name, toolCallId: item.call_id })
      }
    }
  }
  return messages
}

type ReasoningItem = Extract<ConversationItem, { type: 'reasoning' }>

/** A summary is the whole thought here, so either will do. */
function thoughtOf({ content, summary, encrypted_content: sealed }: ReasoningItem, unseal: ConversationOptions['unseal']): string {
  const readable = content.length > 0 ? content : summary
  if (readable.length > 0 || sealed === undefined) return readable.map(({ text }) => text).join('\n')
  const text = unseal(sealed)
  if (text === undefined) throw invalid('input', 'the encrypted_content of a reasoning item was not made by this server')
  return text
}

function required(value: string | null | undefined, field: string): string {
  if (typeof value === 'string') return value
  throw invalid(field, 'expected a text')
}

function invalid(field: string, reason: string): AppError {
  return new AppError('invalid-field', { field, reason })
}
