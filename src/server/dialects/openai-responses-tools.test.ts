import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callItem, callName, closedCall, freeTextArguments, modelName, type OpenCall } from './openai-responses-calls.ts'
import { responseTools } from './openai-responses-tools.ts'

const FUNCTION = { type: 'function', name: 'read', parameters: { type: 'object' } }
const GROUP = { type: 'namespace', name: 'mcp__files', description: 'Files', tools: [FUNCTION, { type: 'custom', name: 'patch' }] }

describe('tools', () => {
  test('of a group have names of their own, and are known to the caller by the group', () => {
    const { tools, names, wire } = responseTools({ tools: [FUNCTION, GROUP], tool_choice: null })
    expect(tools.map(({ name }) => name)).toEqual(['read', 'mcp__files__read', 'mcp__files__patch'])
    expect(names.get('mcp__files__read')).toEqual({ type: 'function', name: 'read', namespace: 'mcp__files' })
    expect(names.get('mcp__files__patch')).toEqual({ type: 'custom', name: 'patch', namespace: 'mcp__files' })
    expect(wire.tools[1]).toEqual(GROUP)
  })

  test('that only OpenAI can run are left out by their place, unless they are all there is', () => {
    const search = { type: 'web_search' }
    const { tools, ignored, wire } = responseTools({ tools: [search, FUNCTION, { type: 'tool_search' }] })
    expect([tools.length, ignored, wire.tools.length]).toEqual([1, ['tools[0]', 'tools[2]'], 1])
    expect(() => responseTools({ tools: [search] })).toThrow('tools[0].type')
    expect(() => responseTools({ tools: [search, FUNCTION], tool_choice: search })).toThrow('tool_choice.type')
  })

  test.each<[string, Parameters<typeof responseTools>[0], string]>([
    [
      'two of one name',
      {
        tools: [
          { ...GROUP, tools: [FUNCTION] },
          { ...FUNCTION, name: 'mcp__files__read' },
        ],
      },
      'tools[1].name',
    ],
    ['a group in a group', { tools: [{ ...GROUP, tools: [{ type: 'namespace', name: 'x' }] }] }, 'tools[0].tools[0]'],
    ['a group without a name', { tools: [{ type: 'namespace', tools: [FUNCTION] }] }, 'tools[0].name'],
    ['a choice of the other kind', { tools: [FUNCTION], tool_choice: { type: 'custom', name: 'read' } }, 'tool_choice.name'],
  ])('are refused: %s', (_, asked, field) => {
    expect(() => responseTools(asked)).toThrow(field)
  })

  test('chosen by a name that several groups have: any of them', () => {
    const { toolChoice } = responseTools({ tools: [FUNCTION, GROUP], tool_choice: { type: 'function', name: 'read' } })
    expect(toolChoice).toEqual({ type: 'required', names: ['read', 'mcp__files__read'] })
  })
})

describe('a call of a tool that takes free text', () => {
  const open = (text: string): OpenCall => ({
    type: 'call',
    id: 'ctc_1',
    index: 0,
    callId: 'c',
    tool: callName('custom', 'patch', null),
    arguments: text,
  })

  test('has the text as it was meant, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (input) => {
        expect(callItem(open(freeTextArguments(input)), 'completed')).toMatchObject({ type: 'custom_tool_call', input })
        expect(closedCall(open(freeTextArguments(input))).at(-1)).toMatchObject({ input })
      }),
    )
  })

  test('that was cut off has what there is', () => {
    expect(callItem(open('{"input":"half'), 'incomplete')).toMatchObject({ input: '{"input":"half', status: 'incomplete' })
  })
})

test('a name of a group says where it belongs, with two underscores once', () => {
  expect(modelName({ name: 'a', namespace: 'mcp__x__' })).toBe('mcp__x__a')
  expect(modelName({ name: 'a', namespace: 'functions' })).toBe('a')
  expect(callName('function', 'a', 'functions')).toEqual({ type: 'function', name: 'a' })
})
