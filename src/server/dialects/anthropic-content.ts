/** The messages of the Messages API as ours: one message of theirs may be several of ours, since tool results stand in the user's. Pure. */
import type { AnthropicBlock, AnthropicMessageParam } from '../../shared/anthropic/messages-request.ts'
import { AppError } from '../../shared/errors.ts'
import type { Message } from '../../shared/generate.ts'
import type { ThoughtSigner } from '../thought-signature.ts'

export interface AnthropicConversation {
  messages: Message[]
  /** The last message is the assistant's, to be continued. */
  continueLast: boolean
  /** Thoughts that are not ours, by place: left out. */
  ignored: string[]
}

const REFUSED_BLOCKS: Readonly<Record<string, string>> = {
  image: 'this model reads text only; describe the image in words',
  container_upload: 'there are no containers here',
  server_tool_use: 'tools run at the caller, not here',
  web_search_tool_result: 'tools run at the caller, not here; send it as a tool_result',
  web_fetch_tool_result: 'tools run at the caller, not here; send it as a tool_result',
  code_execution_tool_result: 'tools run at the caller, not here; send it as a tool_result',
}

/** Throws `invalid-field` and `unsupported-field`, naming the block: `messages[1].content[0]`. */
export function conversationOf(
  { messages, system }: { messages: readonly AnthropicMessageParam[]; system?: string | AnthropicBlock[] | null | undefined },
  signer: ThoughtSigner,
): AnthropicConversation {
  const ignored: string[] = []
  const calls = new Set<string>()
  const opening = system ? systemMessages(system, ignored) : []
  const rest = messages.flatMap((message, index) => messagesOf(message, `messages[${index}]`, { signer, ignored, calls }))
  return { messages: [...opening, ...rest], continueLast: messages.at(-1)?.role === 'assistant', ignored }
}

/** Not for the model: it is different in every request, and would make each prompt a new one for the prefix cache. */
const BILLING = 'x-anthropic-billing-header:'

function systemMessages(system: string | readonly AnthropicBlock[], ignored: string[]): Message[] {
  if (typeof system === 'string') return [{ role: 'system', content: system }]
  const places = system.map((block, index) => ({ block, field: `system[${index}]` }))
  const isBilling = ({ block }: Place): boolean => typeof block.text === 'string' && block.text.startsWith(BILLING)
  ignored.push(...places.filter(isBilling).map(({ field }) => field))
  const texts = places.filter((place) => !isBilling(place)).map(({ block, field }) => blockText(block, field))
  return texts.length > 0 ? [{ role: 'system', content: texts.join('\n\n') }] : []
}

interface Reading {
  signer: ThoughtSigner
  ignored: string[]
  /** Ids of the calls so far, so that every result finds its own. */
  calls: Set<string>
}

function messagesOf({ role, content }: AnthropicMessageParam, field: string, reading: Reading): Message[] {
  if (role === 'system') return [{ role, content: textOf(content, `${field}.content`) }]
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  const places = blocks.map((block, index) => ({ block, field: typeof content === 'string' ? field : `${field}.content[${index}]` }))
  return role === 'assistant' ? [assistantMessage(places, reading)] : userMessages(places, reading)
}

interface Place {
  block: AnthropicBlock
  field: string
}

/** Results come first, whatever their place: models read them right after the calls. */
function userMessages(places: readonly Place[], reading: Reading): Message[] {
  const results = places.filter(({ block }) => block.type === 'tool_result').map((place) => resultMessage(place, reading))
  const texts = places.filter(({ block }) => block.type !== 'tool_result').map(({ block, field }) => blockText(block, field))
  return texts.length > 0 || results.length === 0 ? [...results, { role: 'user', content: texts.join('\n\n') }] : results
}

function resultMessage({ block, field }: Place, { calls }: Reading): Message {
  const id = block['tool_use_id']
  if (typeof id !== 'string') throw invalid(`${field}.tool_use_id`, 'expected the id of the tool_use that this is the result of')
  if (!calls.has(id)) throw invalid(`${field}.tool_use_id`, 'no tool_use before it has this id')
  const content = block['content']
  const text = content === undefined || content === null ? '' : textOf(content, `${field}.content`)
  return { role: 'tool', toolCallId: id, content: block['is_error'] === true ? `Error: ${text}` : text }
}

function assistantMessage(places: readonly Place[], reading: Reading): Message {
  const message = { text: [] as string[], thoughts: [] as string[], calls: [] as NonNullable<Message['toolCalls']> }
  for (const { block, field } of places) {
    if (block.type === 'thinking') message.thoughts.push(...thoughtOf(block, field, reading))
    else if (block.type === 'redacted_thinking') reading.ignored.push(field)
    else if (block.type === 'tool_use') message.calls.push(callOf(block, field, reading))
    else message.text.push(blockText(block, field))
  }
  return {
    role: 'assistant',
    content: message.text.join('\n\n'),
    ...(message.thoughts.length > 0 ? { reasoning: message.thoughts.join('\n\n') } : {}),
    ...(message.calls.length > 0 ? { toolCalls: message.calls } : {}),
  }
}

function thoughtOf(block: AnthropicBlock, field: string, { signer, ignored }: Reading): string[] {
  const [thought, signature] = [block['thinking'], block['signature']]
  if (typeof thought !== 'string') throw invalid(`${field}.thinking`, 'expected a text')
  if (typeof signature === 'string' && signer.isOurs(thought, signature)) return [thought]
  ignored.push(field)
  return []
}

function callOf(block: AnthropicBlock, field: string, { calls }: Reading): NonNullable<Message['toolCalls']>[number] {
  const [id, name, input] = [block['id'], block['name'], block['input']]
  if (typeof id !== 'string' || id === '') throw invalid(`${field}.id`, 'expected a text')
  if (typeof name !== 'string' || name === '') throw invalid(`${field}.name`, 'expected a text')
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw invalid(`${field}.input`, 'expected an object')
  calls.add(id)
  return { id, name, arguments: JSON.stringify(input) }
}

function textOf(content: unknown, field: string): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw invalid(field, 'expected a text or a list of content blocks')
  return content.map((block, index) => blockText(block as AnthropicBlock, `${field}[${index}]`)).join('\n\n')
}

function blockText(block: AnthropicBlock, field: string): string {
  if (typeof block !== 'object' || block === null) throw invalid(field, 'expected a content block')
  if (block.type === 'text') {
    if (typeof block.text === 'string') return block.text
    throw invalid(`${field}.text`, 'expected a text')
  }
  if (block.type === 'document') return documentText(block, field)
  if (block.type === 'search_result') return searchResultText(block, field)
  const reason = Object.hasOwn(REFUSED_BLOCKS, String(block.type)) ? REFUSED_BLOCKS[block.type] : undefined
  if (reason) throw new AppError('unsupported-field', { field, reason: `${block.type}: ${reason}` })
  throw invalid(`${field}.type`, 'expected text')
}

/** Of a document's sources, those that are text. */
function documentText(block: AnthropicBlock, field: string): string {
  const source = block['source'] as { type?: unknown; data?: unknown; content?: unknown } | undefined
  const title = typeof block['title'] === 'string' ? `${block['title']}\n\n` : ''
  if (source?.type === 'text' && typeof source.data === 'string') return title + source.data
  if (source?.type === 'content') return title + textOf(source.content, `${field}.source.content`)
  throw new AppError('unsupported-field', { field, reason: "document: this model reads text only; send the document's text" })
}

function searchResultText(block: AnthropicBlock, field: string): string {
  const head = [block['title'], block['source']].filter((part) => typeof part === 'string').join('\n')
  return `${head}\n\n${textOf(block['content'], `${field}.content`)}`
}

function invalid(field: string, reason: string): AppError {
  return new AppError('invalid-field', { field, reason })
}
