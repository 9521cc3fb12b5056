import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { deferred } from '../../base/async.ts'
import { AppError, toWireError } from '../../shared/errors.ts'
import type { GenerateEvent, GenerateRequest } from '../../shared/generate.ts'
import { OpenAiErrorSchema } from '../../shared/openai.ts'
import { ResponseEventSchema, type ResponseEvent } from '../../shared/response-events.ts'
import { InputTokensSchema, ResponseItemListSchema, ResponseSchema, type Response as ModelResponse } from '../../shared/responses.ts'
import { answer, finish, type Script } from '../../../test/fakes/scripted-engine.ts'
import { createScriptedServer, readChunks, type ScriptedServer } from '../../../test/fakes/scripted-server.ts'

/** A busy machine may take its time. */
const poll = <T>(check: () => T) => expect.poll(check, { timeout: 20_000 })

let home: string
const open: ScriptedServer[] = []

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bendi-responses-'))
})

afterEach(async () => {
  for (const server of open.splice(0)) await server.platform.close()
  await rm(home, { recursive: true, force: true })
})

let ids = 0

function start(script?: Script): ScriptedServer {
  const newId = (): string => (++ids).toString(16).padStart(32, '0')
  const server = createScriptedServer({ ...(script ? { script } : {}), newId, scripted: { records: { home } } })
  open.push(server)
  return server
}

const HI = { model: 'scripted', input: 'Hi' }

async function created(server: ScriptedServer, more: object = {}): Promise<ModelResponse> {
  const reply = await server.post('/v1/responses', { ...HI, ...more })
  const body: unknown = await reply.json()
  if (reply.status !== 200) throw new Error(JSON.stringify(body))
  return ResponseSchema.parse(body)
}

async function retrieved(server: ScriptedServer, id: string): Promise<ModelResponse> {
  return ResponseSchema.parse(await (await server.get(`/v1/responses/${id}`)).json())
}

async function eventsOf(reply: Response): Promise<ResponseEvent[]> {
  return (await readChunks(reply)).map((chunk) => ResponseEventSchema.parse(chunk))
}

async function errorOf(reply: Response): Promise<{ status: number; code: string | null; param: string | null; message: string }> {
  const { error } = OpenAiErrorSchema.parse(await reply.json())
  return { status: reply.status, code: error.code, param: error.param, message: error.message }
}

const remove = (server: ScriptedServer, id: string) => server.app.request(`/v1/responses/${id}`, { method: 'DELETE' })
const messagesIn = ({ prompt }: GenerateRequest) => (prompt.type === 'messages' ? prompt.messages : [])
const lastMessages = (server: ScriptedServer) => messagesIn(server.engine.requests.at(-1) as GenerateRequest)

describe('a response', () => {
  test('is kept, and can be asked for and deleted', async () => {
    const server = start()
    const response = await created(server, { metadata: { a: 'b' }, user: 'me' })
    expect(response).toMatchObject({ status: 'completed', store: true, metadata: { a: 'b' }, user: 'me' })
    expect(await retrieved(server, response.id)).toEqual(response)
    expect(await (await remove(server, response.id)).json()).toEqual({ id: response.id, object: 'response', deleted: true })
    const gone = { status: 404, code: 'response_not_found', param: 'response_id' }
    expect(await errorOf(await server.get(`/v1/responses/${response.id}`))).toMatchObject(gone)
    expect(await errorOf(await remove(server, response.id))).toMatchObject(gone)
  })

  test('that is not stored cannot be', async () => {
    const server = start()
    const response = await created(server, { store: false })
    expect(response.store).toBe(false)
    expect((await server.get(`/v1/responses/${response.id}`)).status).toBe(404)
  })

  test('is continued: the model reads all that came before, but not the old instructions', async () => {
    const server = start(() => answer('Paris', { reasoning: 'France' }))
    const first = await created(server, { input: 'Capital?', instructions: 'Be short.' })
    const second = await created(server, { input: 'Really?', previous_response_id: first.id, instructions: 'Be long.' })
    expect(lastMessages(server)).toEqual([
      { role: 'system', content: 'Be long.' },
      { role: 'user', content: 'Capital?' },
      { role: 'assistant', content: 'Paris', reasoning: 'France' },
      { role: 'user', content: 'Really?' },
    ])
    expect(second.previous_response_id).toBe(first.id)
    const third = await created(server, { input: 'And?', previous_response_id: second.id })
    expect(lastMessages(server)).toHaveLength(5)
    const items = ResponseItemListSchema.parse(await (await server.get(`/v1/responses/${third.id}/input_items?order=asc&limit=3`)).json())
    expect(items.data.map((item) => item.type)).toEqual(['message', 'reasoning', 'message'])
    expect(items.has_more).toBe(true)
    const rest = ResponseItemListSchema.parse(
      await (await server.get(`/v1/responses/${third.id}/input_items?order=asc&after=${items.last_id}`)).json(),
    )
    expect(rest.data).toHaveLength(4)
    expect(rest.has_more).toBe(false)
  })

  test('that follows an unknown, a deleted or an unstored one is a 404 that says so', async () => {
    const server = start()
    const { id } = await created(server)
    await remove(server, id)
    const unstored = await created(server, { store: false })
    for (const previous of ['resp_nothing', id, unstored.id]) {
      expect(await errorOf(await server.post('/v1/responses', { ...HI, previous_response_id: previous }))).toMatchObject({
        status: 404,
        code: 'previous_response_not_found',
        param: 'previous_response_id',
      })
    }
  })

  test('survives a restart', async () => {
    const before = start()
    const response = await created(before)
    await before.platform.close()
    const after = start()
    expect(await retrieved(after, response.id)).toEqual(response)
    expect(await created(after, { previous_response_id: response.id })).toMatchObject({ previous_response_id: response.id })
  })

  test('is given even when nothing can be stored, and says that it was not', async () => {
    await writeFile(path.join(home, 'bendi.db'), '')
    const server = createScriptedServer({ scripted: { records: { home: path.join(home, 'bendi.db') } } })
    open.push(server)
    const response = await created(server)
    expect(response).toMatchObject({ status: 'completed', store: false })
    const events = await eventsOf(await server.post('/v1/responses', { ...HI, stream: true }))
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { store: false } })
    expect(await errorOf(await server.get(`/v1/responses/${response.id}`))).toMatchObject({ status: 507, code: 'store_unavailable' })
    expect(await errorOf(await server.post('/v1/responses', { ...HI, background: true }))).toMatchObject({ status: 507 })
  })
})

describe('tools', () => {
  const TOOL = { type: 'function', name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } }, strict: true }
  const call: Script = () => [
    { type: 'tool-call-delta', choice: 0, call: 0, id: 'call_1', name: 'weather', arguments: '{"city":' },
    { type: 'tool-call-delta', choice: 0, call: 0, arguments: '"Paris"}' },
    { type: 'choice-end', choice: 0, reason: 'tool-calls' },
    finish(),
  ]

  test('are given to the model, and its call and the output come back to it', async () => {
    const server = start(call)
    const first = await created(server, { tools: [TOOL], tool_choice: { type: 'function', name: 'weather' }, parallel_tool_calls: false })
    expect(first.output).toMatchObject([{ type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Paris"}' }])
    expect(server.engine.requests[0]).toMatchObject({
      prompt: { tools: [{ name: 'weather', strict: true }] },
      toolChoice: { type: 'named', name: 'weather' },
      parallelToolCalls: false,
    })
    server.engine.setScript(() => answer('Sunny'))
    const output = { type: 'function_call_output', call_id: 'call_1', output: '20°' }
    await created(server, { previous_response_id: first.id, input: [output], tools: [TOOL] })
    expect(lastMessages(server)).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Paris"}' }] },
      { role: 'tool', content: '20°', name: 'weather', toolCallId: 'call_1' },
    ])
  })

  test('an allowed list is the only one the model knows, or may choose from', async () => {
    const server = start()
    const tools = [TOOL, { ...TOOL, name: 'other' }]
    const allowed = (mode: string) => ({ type: 'allowed_tools', mode, tools: [{ type: 'function', name: 'other' }] })
    expect((await created(server, { tools, tool_choice: allowed('auto') })).tool_choice).toEqual(allowed('auto'))
    expect(server.engine.requests.at(-1)).toMatchObject({ prompt: { tools: [{ name: 'other' }] }, toolChoice: { type: 'auto' } })
    await created(server, { tools, tool_choice: allowed('required') })
    expect(server.engine.requests.at(-1)).toMatchObject({ toolChoice: { type: 'required', names: ['other'] } })
  })
})

describe('what the client keeps itself', () => {
  test('thoughts come sealed, and are read again only as they were', async () => {
    const server = start(() => answer('Yes', { reasoning: 'secret' }))
    const wish = { store: false, include: ['reasoning.encrypted_content'] }
    const { output } = await created(server, wish)
    const [thought] = output
    if (thought?.type !== 'reasoning') throw new Error('no thought')
    const { content: _, ...bare } = thought
    const user = { role: 'user', content: 'Hi' }
    await created(server, { ...wish, input: [user, bare, output[1], user] })
    expect(lastMessages(server)[1]).toEqual({ role: 'assistant', content: 'Yes', reasoning: 'secret' })
    const changed = { ...bare, encrypted_content: `${bare.encrypted_content?.slice(0, -2)}AA` }
    expect(await errorOf(await server.post('/v1/responses', { ...HI, input: [user, changed, user] }))).toMatchObject({
      status: 400,
      code: 'invalid_field',
      param: 'input',
    })
  })

  test('a reference stands for a stored item', async () => {
    const server = start()
    const { output } = await created(server)
    await created(server, {
      input: [
        { role: 'user', content: 'a' },
        { type: 'item_reference', id: output[0]?.id },
        { role: 'user', content: 'b' },
      ],
    })
    expect(lastMessages(server).map(({ content }) => content)).toEqual(['a', 'Hello from the script.', 'b'])
    expect(await errorOf(await server.post('/v1/responses', { ...HI, input: [{ id: 'msg_nothing' }] }))).toMatchObject({
      param: 'input[0].id',
    })
  })
})

test('every setting reaches the request', async () => {
  const server = start()
  await created(server, {
    max_output_tokens: 20,
    temperature: 0.5,
    top_p: 0.9,
    top_logprobs: 2,
    include: ['message.output_text.logprobs'],
    reasoning: { effort: 'high' },
    truncation: 'auto',
    text: { format: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: true } },
    seed: 4,
    stop: 'END',
    max_thinking_tokens: 9,
  })
  expect(server.engine.requests[0]).toMatchObject({
    maxTokens: 20,
    sampling: { temperature: 0.5, topP: 0.9, seed: 4 },
    logprobs: 2,
    prompt: { thinking: { enabled: true, effort: 'high' } },
    truncation: 'auto',
    output: { type: 'json-schema', name: 'x', schema: { type: 'object' } },
    stop: ['END'],
    thinkingTokens: 9,
  })
})

test.each([
  [{ input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }, 'unsupported_field', 'input[0].content[0]'],
  [{ input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'x' }] }] }, 'unsupported_field', 'input[0].content[0]'],
  [{ input: [{ type: 'web_search_call', id: 'x' }] }, 'unsupported_field', 'input[0]'],
  [{ input: [{ type: 'function_call_output', call_id: 'x', output: 'y' }] }, 'invalid_field', 'input'],
  [{ input: [{ role: 'king', content: 'x' }] }, 'invalid_field', 'input[0].role'],
  [{ input: [] }, 'invalid_field', 'input'],
  [{ input: 7 }, 'invalid_field', 'input'],
  [{ input: undefined }, 'invalid_field', 'input'],
  [{ model: undefined }, 'invalid_field', 'model'],
  [{ tools: [{ type: 'web_search' }] }, 'unsupported_field', 'tools[0].type'],
  [{ tools: [{ type: 'custom', name: 'x y' }] }, 'invalid_field', 'tools[0].name'],
  [{ tools: [{ type: 'function' }] }, 'invalid_field', 'tools[0].name'],
  [{ tool_choice: 'required' }, 'invalid_field', 'tool_choice'],
  [{ tool_choice: { type: 'function', name: 'x' } }, 'invalid_field', 'tool_choice.name'],
  [{ tool_choice: { type: 'mcp' } }, 'unsupported_field', 'tool_choice.type'],
  [{ prompt: { id: 'x' } }, 'unsupported_field', 'prompt'],
  [{ conversation: 'x' }, 'unsupported_field', 'conversation'],
  [{ include: ['everything'] }, 'invalid_field', 'include[0]'],
  [{ text: { format: { type: 'xml' } } }, 'invalid_field', 'text.format.type'],
  [{ text: { format: { type: 'json_schema', name: 'x' } } }, 'invalid_field', 'text.format.schema'],
  [{ text: { format: { type: 'json_schema', name: 'x', schema: { type: 'thing' } } } }, 'invalid_field', 'text.format.schema.type'],
  [{ text: { verbosity: 'low' } }, 'unsupported_field', 'text.verbosity'],
  [{ metadata: { a: 1 } }, 'invalid_field', 'metadata.a'],
  [{ background: true, store: false }, 'invalid_field', 'background'],
  [{ temperature: 3 }, 'invalid_field', 'temperature'],
  [{ max_output_tokens: 0 }, 'invalid_field', 'max_output_tokens'],
])('%j is refused by name', async (more, code, param) => {
  expect(await errorOf(await start().post('/v1/responses', { ...HI, ...more }))).toMatchObject({ status: 400, code, param })
})

test('fields without effect are told', async () => {
  const reply = await start().post('/v1/responses', { ...HI, service_tier: 'priority', reasoning: { summary: 'concise' }, mirostat: 2 })
  expect(reply.headers.get('x-bendi-ignored')).toBe('service_tier, reasoning.summary, mirostat')
})

test('tokens of an input are counted with its conversation', async () => {
  const server = start()
  const first = await created(server)
  const count = async (body: object): Promise<number> =>
    InputTokensSchema.parse(await (await server.post('/v1/responses/input_tokens', body)).json()).input_tokens
  const alone = await count(HI)
  expect(alone).toBeGreaterThan(0)
  expect(await count({ input: 'Hi' })).toBe(alone)
  expect(await count({ ...HI, previous_response_id: first.id })).toBeGreaterThan(alone)
})

const crash: GenerateEvent = { type: 'error', error: toWireError(new AppError('engine-crashed', { model: 'm', reason: 'SIGKILL' })) }

describe('errors', () => {
  test('before the first word have their HTTP status, streamed or not', async () => {
    const tooLong: GenerateEvent = {
      type: 'error',
      error: toWireError(new AppError('prompt-too-long', { needed: 9, window: 4, possible: 8 })),
    }
    const server = start(() => [{ type: 'prefill', done: 0, total: 9 }, tooLong])
    for (const stream of [false, true]) {
      expect(await errorOf(await server.post('/v1/responses', { ...HI, stream }))).toMatchObject({
        status: 400,
        code: 'context_length_exceeded',
      })
    }
    expect(await errorOf(await server.post('/v1/responses', { ...HI, model: 'gpt' }))).toMatchObject({ status: 404, param: 'model' })
    expect(await errorOf(await server.post('/v1/responses', { ...HI, model: 'gpt', background: true }))).toMatchObject({ status: 404 })
  })

  test('after it are the last event, and the response is kept as failed', async () => {
    const server = start(() => [{ type: 'text-delta', choice: 0, text: 'Hel' }, crash])
    const events = await eventsOf(await server.post('/v1/responses', { ...HI, stream: true }))
    const last = events.at(-1)
    expect(last).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'server_error' }, output: [{ status: 'incomplete' }] },
    })
    if (last?.type === 'response.failed') expect(await retrieved(server, last.response.id)).toMatchObject({ status: 'failed' })
  })

  test('a client that leaves stops the generation, and nothing is kept', async () => {
    const server = start(() => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})])
    const reply = await server.post('/v1/responses', { ...HI, stream: true })
    const reader = reply.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await expect.poll(() => server.engine.live, { timeout: 20_000 }).toBe(0)
  })
})

describe('in the background', () => {
  const held =
    (gate: Promise<unknown>): Script =>
    () => [{ type: 'text-delta', choice: 0, text: 'one' }, gate, { type: 'text-delta', choice: 0, text: ' two' }, finish()]

  test('it runs on alone, can be watched from any event on, also after its end', async () => {
    const gate = deferred<void>()
    const server = start(held(gate.promise))
    const { id, status } = await created(server, { background: true })
    expect(status).toBe('queued')
    await poll(async () => (await retrieved(server, id)).status).toBe('in_progress')
    const live = server.get(`/v1/responses/${id}?stream=true&starting_after=2`)
    gate.resolve()
    const events = await eventsOf(await live)
    expect(events[0]?.sequence_number).toBe(3)
    expect(events.at(-1)).toMatchObject({ type: 'response.completed' })
    expect(await retrieved(server, id)).toMatchObject({ status: 'completed', output: [{ content: [{ text: 'one two' }] }] })
    expect(await errorOf(await server.get(`/v1/responses/${id}?stream=true`))).toMatchObject({ status: 400, param: 'stream' })
  })

  test('streamed, its events are numbered alike whenever they are read', async () => {
    const server = start(() => answer('one two'))
    const first = await eventsOf(await server.post('/v1/responses', { ...HI, background: true, stream: true }))
    expect(first.map(({ type }) => type).slice(0, 3)).toEqual(['response.created', 'response.queued', 'response.in_progress'])
    const [opening] = first
    if (opening?.type !== 'response.created') throw new Error('no opening')
    const again = await eventsOf(await server.get(`/v1/responses/${opening.response.id}?stream=true&starting_after=4`))
    expect(again).toEqual(first.slice(5))
  })

  test('it can be cancelled, twice, and is then cancelled for its readers', async () => {
    const server = start(held(new Promise(() => {})))
    const { id } = await created(server, { background: true })
    await poll(() => server.engine.live).toBe(1)
    const watching = server.get(`/v1/responses/${id}?stream=true`)
    for (let time = 0; time < 2; time++) {
      const cancelled = ResponseSchema.parse(await (await server.post(`/v1/responses/${id}/cancel`, {})).json())
      expect(cancelled).toMatchObject({ status: 'cancelled', output: [{ content: [{ text: 'one' }] }] })
    }
    expect(server.engine.live).toBe(0)
    expect((await eventsOf(await watching)).at(-1)).toMatchObject({ type: 'error', code: 'cancelled' })
    expect(await retrieved(server, id)).toMatchObject({ status: 'cancelled' })
  })

  test('what does not run there cannot be cancelled', async () => {
    const server = start()
    const { id } = await created(server)
    expect((await server.post(`/v1/responses/${id}/cancel`, {})).status).toBe(400)
  })

  test('one that an ended process left behind has failed', async () => {
    const before = start(held(new Promise(() => {})))
    const { id } = await created(before, { background: true })
    await expect.poll(() => before.engine.live, { timeout: 20_000 }).toBe(1)
    // A killed process closes nothing: another one opens the same folder.
    const after = start()
    await poll(async () => (await retrieved(after, id)).status).toBe('failed')
    expect((await retrieved(after, id)).error?.message).toMatch(/stopped/)
  })

  test('a server that stops ends it as failed', async () => {
    const before = start(held(new Promise(() => {})))
    const { id } = await created(before, { background: true })
    await poll(() => before.engine.live).toBe(1)
    await before.platform.close()
    expect(await retrieved(start(), id)).toMatchObject({ status: 'failed', error: { code: 'server_error' } })
  })

  test('a failure is told by its response', async () => {
    const server = start(() => [crash])
    const { id } = await created(server, { background: true })
    await expect.poll(async () => (await retrieved(server, id)).status, { timeout: 20_000 }).toBe('failed')
  })
})
