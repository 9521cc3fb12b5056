import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../../src/base/async.ts'
import { COMMAND_NAMES } from '../../src/cli/commands.ts'
import { FindingSchema, ModelSchema } from '../../src/shared/api.ts'
import { tinyModelBytes } from '../fakes/gguf-header.ts'
import { startHubServer } from '../fakes/hub-server.ts'
import { answer, createScriptedEngine } from '../fakes/scripted-engine.ts'
import type { Script } from '../fakes/scripted-engine.ts'
import { createCliHome } from '../fixtures/cli-run.ts'
import type { CliHome } from '../fixtures/cli-run.ts'

let home: CliHome
let file = ''
beforeEach(async () => {
  home = await createCliHome()
  file = path.join(home.folder, 'tiny.gguf')
  await writeFile(file, tinyModelBytes({ name: 'Tiny Model' }))
})
afterEach(() => home.remove())

describe('help', () => {
  it('names every command, in both languages', async () => {
    for (const language of ['en', 'zh']) {
      const { code, stdout } = await home.run(['help', '--lang', language])
      expect(code).toBe(0)
      for (const name of COMMAND_NAMES) expect(stdout).toContain(`  ${name}`)
    }
    expect((await home.run(['--help'])).stdout).toBe((await home.run(['help'])).stdout)
    expect((await home.run(['--help'], { env: { LANG: 'zh_CN.UTF-8' } })).stdout).toContain('下载模型')
  })

  it('of one command shows its own flags and settings', async () => {
    const { stdout } = await home.run(['help', 'run'])
    for (const flag of ['--temperature', '--input-file', '--context', '--json']) expect(stdout).toContain(flag)
    expect((await home.run(['run', '--help'])).stdout).toBe(stdout)
    expect((await home.run(['list', '-h'])).stdout).not.toContain('--temperature')
  })

  it('tells the version', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    expect((await home.run(['--version'])).stdout).toBe(`${version}\n`)
    expect(JSON.parse((await home.run(['--version', '--json'])).stdout)).toEqual({ version })
  })
})

describe('what is misspelt', () => {
  it.each([
    [['lst'], 'Did you mean "bendi list"?'],
    [['serv'], 'Did you mean "bendi serve"?'],
    [['list', '--jsno'], 'Did you mean --json?'],
    [['up', '--prot', '1'], 'Did you mean --port?'],
    [['up', '--no-opne'], 'Did you mean --no-open?'],
  ])('%j is answered with the nearest', async (argv, text) => {
    const { code, stderr, stdout } = await home.run(argv)
    expect(code).toBe(1)
    expect(stderr).toContain(text)
    expect(stdout).toBe('')
  })

  it.each([
    [['show'], 'needs MODEL'],
    [['list', 'extra'], 'one argument too many'],
    [['up', '--port'], '--port needs a value'],
    [['up', '--model', '--json'], '--model'],
    [['run', 'm', 'q', '--temperature', 'hot'], '"hot" is not a number'],
    [['up', '--port', 'abc'], '--port: "abc"'],
    [['plan', 'm', '--context', '32X'], '"32X" is not a number'],
    [['up', '--context', '32X'], 'such as 8192 or 32K'],
    [['up', '--no-port'], 'no flag --no-port'],
  ])('%j says what is wrong', async (argv, text) => {
    const { code, stderr, stdout } = await home.run(argv)
    expect(code).toBe(1)
    expect(stderr + stdout).toContain(text)
  })

  it('is an object on stdout with --json, in the asked language', async () => {
    const { code, stdout, stderr } = await home.run(['show', 'nothing', '--json', '--lang', 'zh'])
    expect(code).toBe(1)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'unknown-model', message: expect.stringContaining('没有模型') } })
  })

  it('in a variable is told by its name', async () => {
    expect((await home.run(['list'], { env: { BENDI_LOG_LEVEL: 'loud' } })).stderr).toContain('BENDI_LOG_LEVEL: "loud"')
  })
})

describe('the library', () => {
  it('takes a file, lists it, shows it and forgets it, and never deletes the file', async () => {
    const before = await readFile(file)
    expect((await home.run(['pull', `file:${file}`])).code).toBe(0)
    const listed = await home.run(['list'])
    expect(listed.stdout.split('\n')).toHaveLength(3)
    expect(listed.stdout).toContain(file)
    const models = ModelSchema.array().parse(JSON.parse((await home.run(['list', '--json'])).stdout))
    expect(models).toMatchObject([{ title: 'Tiny Model', source: 'file' }])
    const shown = await home.run(['show', `file:${file}`])
    expect(shown.stdout).toMatch(/What it is +Tiny Model/)
    expect(shown.stdout).toContain('apache-2.0')
    expect(JSON.parse((await home.run(['rm', `file:${file}`, '--json'])).stdout)).toMatchObject({ title: 'Tiny Model' })
    expect(JSON.parse((await home.run(['list', '--json'])).stdout)).toEqual([])
    expect((await home.run(['rm', file])).stderr).toContain(`the file stays where it is: ${file}`)
    expect(await readFile(file)).toEqual(before)
  })

  it('says in Chinese what it did, with columns that line up', async () => {
    const { stderr } = await home.run(['--lang', 'zh', 'pull', file])
    expect(stderr).toContain('已就绪')
    const { stdout } = await home.run(['list'], { env: { LC_ALL: 'zh_CN.UTF-8' } })
    expect(stdout).toContain('名称')
  })

  it('downloads from a hub and shows lines of progress where there is no terminal', async () => {
    const hub = await startHubServer()
    try {
      hub.repositories.set('org/tiny', { files: { 'tiny-Q4_K_M.gguf': tinyModelBytes({ extraBytes: 100_000 }) }, license: 'mit' })
      const env = { HF_ENDPOINT: hub.origin, MODELSCOPE_ENDPOINT: hub.origin }
      const { code, stdout, stderr } = await home.run(['pull', 'hf:org/tiny', '--json'], { env })
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(ModelSchema.parse(JSON.parse(stdout))).toMatchObject({ license: 'mit' })
      const again = await home.run(['pull', 'hf:org/tiny'], { env })
      expect(again.stderr).toMatch(/is here/)
      const forced = await home.run(['pull', 'hf:org/tiny', '--force'], { env })
      expect(forced.stderr).toMatch(/Done/)
      expect(forced.stderr).not.toContain('\r')
    } finally {
      await hub.close()
    }
  })

  it('needs no network when told so, and says what would', async () => {
    const { code, stderr } = await home.run(['pull', 'hf:org/tiny', '--offline'])
    expect(code).toBe(1)
    expect(stderr).toContain('--offline')
  })

  it('refuses a damaged file with the reason', async () => {
    await writeFile(file, (await readFile(file)).subarray(0, 60))
    const { code, stderr } = await home.run(['show', file])
    expect(code).toBe(1)
    expect(stderr).toMatch(/not a usable GGUF/)
  })
})

describe('run', () => {
  const script = () => [{ type: 'reasoning-delta' as const, choice: 0, text: 'Let me think.' }, ...answer('Blue.')]

  it('answers a question from the arguments, without the thoughts when nobody watches', async () => {
    const { code, stdout } = await home.run(['run', file, 'Why', 'blue?'], { script })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Blue.\n' })
  })

  it('appends what is piped in to the question, with the sampling that was asked for', async () => {
    const seen: unknown[] = []
    await home.run(['run', file, 'Summarise:', '--seed', '7', '--top-p', '0.5', '--max-tokens', '9', '--system', 'Be short.'], {
      input: 'a long text',
      script: (request) => {
        seen.push(request)
        return answer('ok')
      },
    })
    expect(seen).toMatchObject([
      {
        maxTokens: 9,
        sampling: { seed: 7, topP: 0.5 },
        prompt: {
          messages: [
            { role: 'system', content: 'Be short.' },
            { role: 'user', content: 'Summarise:\n\na long text' },
          ],
        },
      },
    ])
  })

  it('answers a file of prompts in order, as JSON lines', async () => {
    await writeFile(path.join(home.folder, 'prompts.txt'), 'one\n\ntwo\r\n')
    const { stdout } = await home.run(['run', file, '--input-file', 'prompts.txt', '--json'], { script })
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toMatchObject([
      { prompt: 'one', text: 'Blue.', reasoning: 'Let me think.', reason: 'stop' },
      { prompt: 'two', text: 'Blue.' },
    ])
  })

  it('answers several prompts of a file at once, up to what the engine runs, and shows them in order', async () => {
    await writeFile(path.join(home.folder, 'prompts.txt'), ['0', '1', '2', '3', '4'].join('\n'))
    const jobs = Array.from({ length: 5 }, () => deferred<void>())
    const begun: number[] = []
    const numbered: Script = (request) => {
      const prompt = Number(request.prompt.type === 'messages' ? request.prompt.messages[0]?.content : Number.NaN)
      begun.push(prompt)
      // The first is the slowest: it ends when the third has begun.
      if (prompt === 2) jobs[0]?.resolve()
      return [...(prompt === 0 && jobs[0] ? [jobs[0].promise] : []), ...answer(`Answer ${prompt}.`)]
    }
    const services = { createEngine: () => createScriptedEngine({ script: numbered, info: { parallel: 2 } }) }
    const { stdout, code } = await home.run(['run', file, '--input-file', 'prompts.txt'], { services })
    expect(code).toBe(0)
    expect(stdout).toBe([0, 1, 2, 3, 4].map((prompt) => `Answer ${prompt}.\n\n`).join(''))
    expect(begun).toEqual([0, 1, 2, 3, 4])
  })

  it.each([
    ['--temperature', '-3'],
    ['--top-p', '1.5'],
    ['--seed', '0.5'],
    ['--max-tokens', '-1'],
  ])('refuses %s %s before it loads a model', async (flag, value) => {
    const createEngine = (): never => {
      throw new Error('it must not be loaded')
    }
    const { code, stderr } = await home.run(['run', file, 'x', flag, value], { services: { createEngine } })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`${flag}: ${value} is not usable here`) })
  })

  it('converses: several lines, /system, /stats, /clear, and Ctrl-D to leave', async () => {
    const seen: unknown[] = []
    const running = home.start(['run', file], {
      isTty: { stdin: true },
      script: (request) => {
        seen.push(request.prompt.type === 'messages' ? request.prompt.messages.map(({ role, content }) => `${role}: ${content}`) : [])
        return answer('Yes.')
      },
    })
    running.type('/system Be kind.\n"""first\nsecond"""\nand \\\nmore\n/stats\n/clear\nagain\n/hlp\n')
    running.endInput()
    const { code, stderr, stdout } = await running.done
    expect(code).toBe(0)
    expect(seen).toEqual([
      ['system: Be kind.', 'user: first\nsecond'],
      ['system: Be kind.', 'user: first\nsecond', 'assistant: Yes.', 'user: and \nmore'],
      ['system: Be kind.', 'user: again'],
    ])
    expect(stdout).toBe('Yes.\nYes.\nYes.\n')
    expect(stderr).toContain('tokens/s')
    expect(stderr).toContain('Did you mean /help?')
  })

  it('converses in lines of JSON with --json', async () => {
    const running = home.start(['run', file, '--json'], { isTty: { stdin: true }, script })
    running.type('one\ntwo\n')
    running.endInput()
    const { stdout, stderr } = await running.done
    const lines = stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { prompt: 'one', text: 'Blue.', reasoning: 'Let me think.' },
      { prompt: 'two', text: 'Blue.' },
    ])
    expect(stderr).toBe('')
  })

  it('shows numbers after each answer of a conversation with --stats', async () => {
    const running = home.start(['run', file, '--stats'], { isTty: { stdin: true }, script })
    running.type('one\ntwo\n')
    running.endInput()
    expect((await running.done).stderr.match(/First token/g)).toHaveLength(2)
  })

  it('is ended by Ctrl-C while it waits for the end of what is piped in', async () => {
    const running = home.start(['run', file, 'Summarise:'])
    running.type('a text without an end')
    running.signal('SIGTERM')
    expect(await running.done).toMatchObject({ code: 130, stdout: '' })
  })

  it('says how to ask what begins with a dash', async () => {
    const { code, stderr } = await home.run(['run', file, '-5 + 3 = ?'])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('begins with a dash stands after --') })
    expect((await home.run(['run', file, '--', '-5 + 3 = ?'], { script })).stdout).toBe('Blue.\n')
  })

  it('loads no model for a file without a prompt', async () => {
    await writeFile(path.join(home.folder, 'prompts.txt'), '\n')
    const createEngine = (): never => {
      throw new Error('it must not be loaded')
    }
    const { code, stderr } = await home.run(['run', file, '--input-file', 'prompts.txt'], { services: { createEngine } })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('there is no prompt in it') })
  })

  it('is ended by Ctrl-C with 130', async () => {
    const never = new Promise<never>(() => {})
    const running = home.start(['run', file, 'Wait'], { script: () => [{ type: 'text-delta', choice: 0, text: 'start' }, never] })
    running.endInput()
    await running.until('start')
    running.signal()
    expect((await running.done).code).toBe(130)
  })

  it('strips what could steer the terminal out of an answer', async () => {
    const { stdout } = await home.run(['run', file, 'x'], { script: () => answer('a\u001b]0;title\u0007b') })
    expect(stdout).toBe('a]0;titleb\n')
  })
})

describe('without a server', () => {
  it('ps and stop say that none runs', async () => {
    expect(await home.run(['ps', '--json'])).toMatchObject({ code: 0, stdout: '[]\n' })
    expect((await home.run(['ps'])).stderr).toContain('bendi up')
    expect((await home.run(['stop'])).stderr).toContain('No server runs')
  })

  it('doctor gives findings with remedies where something is wrong', async () => {
    const { stdout } = await home.run(['doctor', '--json', '--offline'])
    const findings = FindingSchema.array().parse(JSON.parse(stdout))
    expect(findings.map(({ id }) => id)).toEqual(expect.arrayContaining(['node', 'cpu', 'kernel', 'memory', 'disk']))
    for (const finding of findings) if (finding.level === 'problem') expect(finding.remedy).toBeDefined()
  })
})

describe('bugs', () => {
  it('end with 70, a short message, and the stack in the log', async () => {
    const createEngine = (): never => {
      throw new TypeError('a bug for the test')
    }
    const { code, stderr } = await home.run(['run', file, 'x'], { services: { createEngine } })
    expect(code).toBe(70)
    expect(stderr).toContain('a bug for the test')
    expect(stderr).not.toContain('at ')
    expect(await readFile(path.join(home.folder, 'home', 'logs', 'bendi.log'), 'utf8')).toContain('cli.test.ts')
  })
})
