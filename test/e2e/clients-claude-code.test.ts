/** What Claude Code and Anthropic's tool runner send by default, in the shapes in which they send it: nothing of it may be refused. */
import { beforeEach, describe, expect, test } from 'vitest'
import { AnthropicEventSchema, AnthropicMessageReplySchema, CountTokensReplySchema } from '../../src/shared/anthropic/messages-reply.ts'
import { readMessages } from '../fakes/scripted-server.ts'
import { createClientsServer, DRAFT_7, ignoredIn, type ClientsServer } from './clients-harness.ts'

let server: ClientsServer

beforeEach(() => {
  server = createClientsServer()
})

describe('Claude Code', () => {
  const HEADERS = {
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,effort-2025-11-24',
    'anthropic-dangerous-direct-browser-access': 'true',
    'x-app': 'cli',
    'x-stainless-lang': 'js',
    'user-agent': 'claude-cli/2.1.37 (external, cli)',
    authorization: 'Bearer none',
  }
  const CACHED = { cache_control: { type: 'ephemeral', ttl: '1h', scope: 'global' } }
  const TURN = {
    model: 'scripted',
    max_tokens: 32_000,
    stream: true,
    temperature: 1,
    metadata: { user_id: '{"device_id":"d","account_uuid":"","session_id":"s"}' },
    system: [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.37.0d9; cc_entrypoint=cli; cch=fa690;' },
      { type: 'text', text: "You are Claude Code, Anthropic's official CLI for Claude.", ...CACHED },
      { type: 'text', text: '# Environment\nPlatform: linux', ...CACHED },
    ],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: '<system-reminder>\nx\n</system-reminder>' },
          { type: 'text', text: 'hi', ...CACHED },
        ],
      },
    ],
    tools: [
      {
        name: 'Bash',
        description: 'Runs a command',
        input_schema: {
          ...DRAFT_7,
          type: 'object',
          properties: { command: { type: 'string' }, timeout: { type: 'number' } },
          required: ['command'],
        },
        eager_input_streaming: true,
        ...CACHED,
      },
      {
        name: 'Task',
        input_schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties: {} },
        defer_loading: true,
      },
      { type: 'web_search_20250305', name: 'web_search', max_uses: 8 },
      { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' },
    ],
    thinking: { type: 'adaptive', budget_tokens: 0 },
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    output_config: { effort: 'high' },
    speed: 'standard',
    betas: ['interleaved-thinking-2025-05-14'],
  }
  const post = (body: object, path = '/v1/messages?beta=true'): Promise<Response> => server.post(path, body, HEADERS)

  test('a turn is answered; what has no effect is named', async () => {
    const response = await post(TURN)
    expect(response.status).toBe(200)
    expect(ignoredIn(response)).toEqual(expect.arrayContaining(['tools[2]', 'tools[3]', 'context_management', 'system[0]']))
    expect(server.conversation().tools?.map(({ name }) => name)).toEqual(['Bash', 'Task'])
    expect(server.conversation().thinking).toEqual({ effort: 'high' })
  })

  test('what changes with every request is not a part of the prompt, so that the next one is cached', async () => {
    await post(TURN)
    expect(server.conversation().messages[0]).toEqual({
      role: 'system',
      content: "You are Claude Code, Anthropic's official CLI for Claude.\n\n# Environment\nPlatform: linux",
    })
  })

  test('a stream counts its prompt at once: what was cached, and beside it what was not', async () => {
    const [start] = await readMessages(await post(TURN)).then((all) => all.filter(({ data }) => data !== undefined))
    const event = AnthropicEventSchema.parse(JSON.parse(start?.data ?? ''))
    expect(event).toMatchObject({ type: 'message_start', message: { usage: { input_tokens: 12, cache_read_input_tokens: 30 } } })
  })

  test('thinking without a budget, as for models that it does not know, has no limit of its own', async () => {
    const response = await post({ ...TURN, stream: false, thinking: { type: 'enabled' } })
    expect(AnthropicMessageReplySchema.parse(await response.json()).content[0]?.type).toBe('thinking')
    expect(server.asked().thinkingTokens).toBeUndefined()
  })

  test('results of tools come back with texts beside them', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } }
    const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'a.txt' }], is_error: false, ...CACHED }
    const messages = [
      ...TURN.messages,
      {
        role: 'assistant',
        content: [{ type: 'thinking', thinking: 'elsewhere', signature: 'xyz' }, { type: 'text', text: 'Listing.' }, call],
      },
      { role: 'user', content: [result, { type: 'text', text: '<system-reminder>\ny\n</system-reminder>' }] },
    ]
    expect((await post({ ...TURN, messages })).status).toBe(200)
    expect(server.conversation().messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user'])
  })

  test('its tokens are counted, with the same fields', async () => {
    const { max_tokens: _, stream: _stream, temperature: _temperature, ...body } = TURN
    const response = await post(body, '/v1/messages/count_tokens?beta=true')
    expect(CountTokensReplySchema.parse(await response.json()).input_tokens).toBeGreaterThan(0)
  })

  test('a title is asked for with a schema', async () => {
    const schema = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'], additionalProperties: false }
    const response = await post({
      ...TURN,
      tools: [],
      thinking: { type: 'disabled' },
      output_config: { format: { type: 'json_schema', schema } },
    })
    expect(response.status).toBe(200)
    expect(server.asked().output).toEqual({ type: 'json-schema', schema })
  })

  test('knows from the words of the error that the conversation must be compacted', async () => {
    server.engine.setScript(function* () {
      yield { type: 'error', error: { code: 'prompt-too-long', data: { needed: 9000, window: 4096, possible: 8192 }, message: '' } }
    })
    const response = await server.post('/v1/messages?beta=true', TURN, { ...HEADERS, 'accept-language': 'zh' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining('prompt is too long: 9000 tokens > 4096 maximum') as string },
    })
  })

  test('a web search alone is refused: there is none here', async () => {
    const response = await post({ ...TURN, tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 8 }] })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('tools[0]')
  })

  test('asks whether somebody is there before it begins', async () => {
    expect((await server.app.request('/', { method: 'HEAD' })).status).toBe(200)
  })
})

describe("Anthropic's own tool runner", () => {
  test('goes on without a thread on the server, by the details of the refusal', async () => {
    const response = await server.post('/v1/messages', {
      model: 'scripted',
      max_tokens: 8,
      messages: [{ role: 'user', content: 'hi' }],
      thread: { type: 'create' },
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] } },
    })
  })

  test('finds the id of the request under the name that it reads', async () => {
    const response = await server.post('/v1/messages', { model: 'scripted', max_tokens: 8, messages: [] }, { 'x-request-id': 'mine' })
    expect(response.headers.get('request-id')).toBe('mine')
    expect((await server.post('/v1/chat/completions', {})).headers.get('request-id')).toBeNull()
  })
})
