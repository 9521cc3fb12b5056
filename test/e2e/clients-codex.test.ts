/** What Codex sends by default, and what it looks for in the answer: nothing of it may be refused. */
import { beforeEach, describe, expect, test } from 'vitest'
import { ResponseEventSchema } from '../../src/shared/response-events.ts'
import { ResponseSchema } from '../../src/shared/responses.ts'
import { readChunks } from '../fakes/scripted-server.ts'
import { createClientsServer, ignoredIn, type ClientsServer } from './clients-harness.ts'

let server: ClientsServer

beforeEach(() => {
  server = createClientsServer()
})

describe('Codex', () => {
  const PATCH = {
    type: 'custom',
    name: 'apply_patch',
    description: 'Edits files',
    format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
  }
  const TURN = {
    model: 'scripted',
    instructions: 'You are a coding agent running in the Codex CLI.',
    input: [
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: '<permissions instructions>' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: '<environment_context>' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'fix it' }] },
    ],
    tools: [
      {
        type: 'function',
        name: 'exec_command',
        description: 'Runs a command',
        strict: false,
        parameters: { type: 'object', properties: { cmd: { type: 'string' } }, required: ['cmd'], additionalProperties: false },
      },
      { type: 'function', name: 'update_plan', strict: false, parameters: { type: 'object', properties: {} } },
      PATCH,
      { type: 'web_search', external_web_access: false },
      { type: 'image_generation', output_format: 'png' },
      {
        type: 'namespace',
        name: 'mcp__files',
        description: 'Files',
        tools: [{ type: 'function', name: 'read', description: 'Reads', strict: false, parameters: { type: 'object', properties: {} } }],
      },
      {
        type: 'namespace',
        name: 'functions',
        description: '',
        tools: [{ type: 'function', name: 'wait', parameters: { type: 'object', properties: {} } }],
      },
    ],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning: { effort: 'medium', summary: 'auto' },
    store: false,
    stream: true,
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: '0199-thread',
    client_metadata: { 'x-codex-installation-id': 'i' },
  }
  const events = async (body: object = TURN): Promise<ReturnType<typeof ResponseEventSchema.parse>[]> =>
    (await readChunks(await server.post('/v1/responses', body))).map((chunk) => ResponseEventSchema.parse(chunk))
  const items = async (): Promise<Record<string, unknown>[]> =>
    (await events()).flatMap((event) => (event.type === 'response.output_item.done' ? [event.item as Record<string, unknown>] : []))

  test('a turn is answered, without the tools that only OpenAI runs', async () => {
    const response = await server.post('/v1/responses', TURN)
    expect(response.status).toBe(200)
    expect(ignoredIn(response)).toEqual(expect.arrayContaining(['tools[3]', 'tools[4]', 'client_metadata']))
    expect(server.conversation().tools?.map(({ name }) => name)).toEqual([
      'exec_command',
      'update_plan',
      'apply_patch',
      'mcp__files__read',
      'wait',
    ])
  })

  test('a tool that takes free text is called as such, its grammar told to the model', async () => {
    server.calls = [{ id: 'call_1', name: 'apply_patch', arguments: JSON.stringify({ input: '*** Begin Patch\n"x"' }) }]
    expect((await items()).at(-1)).toMatchObject({
      type: 'custom_tool_call',
      call_id: 'call_1',
      name: 'apply_patch',
      input: '*** Begin Patch\n"x"',
    })
    expect(server.conversation().tools?.[2]).toMatchObject({
      parameters: { required: ['input'] },
      description: expect.stringContaining('start: "x"') as string,
    })
    const kinds = (await events()).map(({ type }) => type)
    expect(kinds).toEqual(expect.arrayContaining(['response.custom_tool_call_input.delta', 'response.custom_tool_call_input.done']))
    expect(kinds).not.toContain('response.function_call_arguments.delta')
  })

  test('a tool of a group is called by its own name and its group, which it was not called by the model', async () => {
    server.calls = [{ id: 'call_1', name: 'mcp__files__read', arguments: '{}' }]
    expect((await items()).at(-1)).toMatchObject({ type: 'function_call', name: 'read', namespace: 'mcp__files', arguments: '{}' })
    server.calls = [{ id: 'call_2', name: 'wait', arguments: '{}' }]
    const [last] = (await items()).slice(-1)
    expect(last).toMatchObject({ type: 'function_call', name: 'wait' })
    expect(last).not.toHaveProperty('namespace')
  })

  test('what came back is understood when it is sent again, sealed thoughts too', async () => {
    server.calls = [{ id: 'call_1', name: 'mcp__files__read', arguments: '{}' }]
    const done = await items()
    expect(done[0]).toMatchObject({ type: 'reasoning', encrypted_content: expect.any(String) as string })
    const thought = { ...done[0], content: null }
    const custom = { type: 'custom_tool_call', call_id: 'call_9', name: 'apply_patch', input: 'x', status: 'completed' }
    const input = [
      ...TURN.input,
      { ...thought, summary: [] },
      ...done.slice(1),
      { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: 'a file' }] },
      custom,
      { type: 'custom_tool_call_output', call_id: 'call_9', output: 'Done' },
    ]
    expect((await server.post('/v1/responses', { ...TURN, input })).status).toBe(200)
    const { messages } = server.conversation()
    expect(messages.map(({ role }) => role)).toEqual(['system', 'developer', 'user', 'user', 'assistant', 'tool', 'assistant', 'tool'])
    expect(messages[4]).toMatchObject({ reasoning: 'let me think', toolCalls: [{ name: 'mcp__files__read' }] })
    expect(messages[6]).toMatchObject({ toolCalls: [{ name: 'apply_patch', arguments: '{"input":"x"}' }] })
    expect(messages[7]).toMatchObject({ name: 'apply_patch', content: 'Done' })
  })

  test('a stored answer with such calls can be gone on from', async () => {
    server.calls = [{ id: 'call_1', name: 'apply_patch', arguments: '{"input":"x"}' }]
    const first = ResponseSchema.parse(await (await server.post('/v1/responses', { ...TURN, store: true, stream: false })).json())
    const input = [{ type: 'custom_tool_call_output', call_id: 'call_1', output: 'Done' }]
    expect((await server.post('/v1/responses', { ...TURN, input, previous_response_id: first.id })).status).toBe(200)
    expect(server.conversation().messages.at(-1)).toMatchObject({ role: 'tool', content: 'Done' })
  })

  test('a local shell alone is refused by name', async () => {
    const response = await server.post('/v1/responses', { ...TURN, tools: [{ type: 'local_shell' }] })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { param: 'tools[0].type' } })
  })

  test('may insist on a tool that takes free text', async () => {
    await server.post('/v1/responses', { ...TURN, tool_choice: { type: 'custom', name: 'apply_patch' } })
    expect(server.asked().toolChoice).toEqual({ type: 'named', name: 'apply_patch' })
  })
})
