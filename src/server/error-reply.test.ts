import { expect, test } from 'vitest'
import { createScriptedServer } from '../../test/fakes/scripted-server.ts'

const SURFACES: [path: string, body: object, english: string, chinese: string][] = [
  [
    '/v1/chat/completions',
    { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }], temperature: 'hot' },
    'Invalid value for "temperature": Invalid input: expected number, received string',
    '字段 "temperature" 的值无效：应为数字，实际为字符串',
  ],
  [
    '/v1/messages',
    { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 0 },
    'Invalid value for "max_tokens": Too small: expected number to be >=1',
    '字段 "max_tokens" 的值无效：数字过小，最小为 1',
  ],
  [
    '/api/chat',
    { model: 'scripted', messages: 'Hi' },
    'Invalid value for "messages": Invalid input: expected array, received string',
    '字段 "messages" 的值无效：应为数组，实际为字符串',
  ],
  [
    '/api/deployments',
    { model: 'scripted', contxt: 5 },
    'Invalid value for "body": Unrecognized key: "contxt"',
    '字段 "body" 的值无效：未知的键："contxt"',
  ],
]

test.each(SURFACES)('%s tells what is wrong with a field in the language of the caller', async (path, body, english, chinese) => {
  const { post } = createScriptedServer()
  const messageFor = async (language?: string): Promise<string> =>
    (await post(path, body, language === undefined ? {} : { 'accept-language': language })).text()
  expect(JSON.parse(await messageFor())).toMatchObject({ error: expect.anything() as unknown })
  for (const language of [undefined, 'en', 'fr, de;q=0.5'])
    expect(await messageFor(language)).toContain(JSON.stringify(english).slice(1, -1))
  for (const language of ['zh-CN,zh;q=0.9,en;q=0.8', 'zh']) {
    const text = await messageFor(language)
    expect(text).toContain(JSON.stringify(chinese).slice(1, -1))
    expect(text).not.toContain('Invalid value')
  }
})
