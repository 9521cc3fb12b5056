/** What agents and chat programs that speak chat completions send by default: nothing of it may be refused. */
import { beforeEach, describe, expect, test } from 'vitest'
import { createScriptedServer } from '../fakes/scripted-server.ts'
import { createClientsServer, DRAFT_7, type ClientsServer } from './clients-harness.ts'

let server: ClientsServer

beforeEach(() => {
  server = createClientsServer()
})

describe('programs that speak chat completions', () => {
  const TOOL = {
    type: 'function',
    function: {
      name: 'read',
      description: 'Reads a file',
      parameters: { ...DRAFT_7, type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
    },
  }
  const CHAT = { model: 'scripted', stream: true, messages: [{ role: 'user', content: 'hi' }] }
  const RESULT = [
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' }, index: 0 }],
    },
    { role: 'tool', tool_call_id: 'c', content: 'text' },
  ]

  test.each<[string, object]>([
    [
      'opencode',
      { max_tokens: 32_000, temperature: 0.55, top_p: 1, stream_options: { include_usage: true }, tools: [TOOL], tool_choice: 'auto' },
    ],
    [
      'opencode with thinking',
      {
        max_tokens: 32_000,
        reasoning_effort: 'medium',
        stream_options: { include_usage: true },
        chat_template_kwargs: { enable_thinking: true },
      },
    ],
    [
      'opencode going on',
      { messages: [...CHAT.messages, { ...RESULT[0], content: '', reasoning_content: 'hm' }, RESULT[1]], tools: [TOOL] },
    ],
    [
      'Qwen Code',
      {
        stream_options: { include_usage: true },
        tools: [TOOL],
        metadata: { sessionId: 's', promptId: 'p' },
        max_tokens: 8000,
        extra_body: {},
        enable_thinking: true,
      },
    ],
    [
      'Cline',
      {
        temperature: 0,
        stream_options: { include_usage: true },
        messages: [
          { role: 'system', content: 's' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
        ],
      },
    ],
    [
      'Cherry Studio',
      {
        temperature: 0.7,
        top_p: 1,
        max_tokens: 4096,
        stream_options: { include_usage: true },
        enable_thinking: false,
        thinking_budget: 1024,
        keep_alive: '5m',
      },
    ],
    [
      'Cherry Studio for Qwen',
      { chat_template_kwargs: { enable_thinking: false, thinking: false }, thinking: { type: 'disabled' }, incremental_output: true },
    ],
    [
      'Chatbox',
      {
        temperature: 0.7,
        max_tokens: null,
        top_p: null,
        stream_options: { include_usage: true },
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: [{ type: 'text', text: 'hi' }] },
        ],
      },
    ],
    [
      'Open WebUI',
      { stream_options: { include_usage: true }, chat_id: 'c', session_id: 's', id: 'm', features: {}, background_tasks: {}, params: {} },
    ],
    ['LiteLLM', { user: 'u', metadata: null, parallel_tool_calls: true, tools: [TOOL], tool_choice: null }],
    [
      'Zed',
      {
        max_completion_tokens: 4096,
        parallel_tool_calls: false,
        tools: [TOOL],
        tool_choice: 'auto',
        stop: [],
        temperature: 1,
        prompt_cache_key: 'x',
      },
    ],
    [
      'a turn cut off in its thoughts',
      { messages: [...CHAT.messages, { role: 'assistant', content: null, reasoning_content: 'hm' }, ...CHAT.messages] },
    ],
    [
      'aider',
      {
        temperature: 0,
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'Ok.' },
          { role: 'user', content: 'b' },
        ],
      },
    ],
  ])('%s is answered', async (_, body) => {
    const response = await server.post('/v1/chat/completions', { ...CHAT, ...body })
    expect(await response.clone().text()).not.toContain('"error"')
    expect(response.status).toBe(200)
  })

  test('an editor that completes code names many texts to stop at', async () => {
    const stop = [
      '<|fim_prefix|>',
      '<|fim_suffix|>',
      '<|fim_middle|>',
      '<|file_sep|>',
      '<|endoftext|>',
      '</fim_middle>',
      '</code>',
      '/src/',
      '#- coding: utf-8',
      '```',
    ]
    const response = await server.post('/v1/completions', {
      model: 'scripted',
      prompt: 'def f',
      max_tokens: 64,
      temperature: 0.01,
      stop,
      stream: true,
    })
    expect(response.status).toBe(200)
    expect(server.asked().stop).toEqual(stop)
  })
})

test('Open WebUI finds models that are used in place, which are in no library, over Ollama’s interface too', async () => {
  const { platform } = server
  const inPlace = 'file:/models/in-place.gguf'
  const known = await platform.models.show('scripted')
  const show = async (name: string): Promise<typeof known> => {
    if (name === inPlace) return { ...known, name }
    if (name === 'coming') throw new Error('not here yet')
    return platform.models.show(name)
  }
  const other = createScriptedServer({
    platform: { ...platform, models: { ...platform.models, show }, modelNames: async () => [inPlace, 'coming', 'scripted'] },
  })
  const { models } = (await (await other.get('/api/tags')).json()) as { models: { name: string }[] }
  expect(models.map(({ name }) => name)).toEqual(expect.arrayContaining(['scripted', inPlace]))
  expect(models.map(({ name }) => name)).not.toContain('coming')
})
