import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { access, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient } from '../../src/shared/client.ts'
import { tinyModelBytes } from '../fakes/gguf-header.ts'
import { startHubServer } from '../fakes/hub-server.ts'
import { answer, createScriptedEngine } from '../fakes/scripted-engine.ts'
import { createCliHome } from '../fixtures/cli-run.ts'
import type { CliHome, CliOptions, RunningCli } from '../fixtures/cli-run.ts'
import { writeTinyModel } from '../fixtures/tiny-gguf.ts'

let home: CliHome
let file = ''
const started: RunningCli[] = []
beforeEach(async () => {
  home = await createCliHome()
  file = path.join(home.folder, 'tiny.gguf')
  await writeFile(file, tinyModelBytes({ name: 'Tiny Model' }))
})
afterEach(async () => {
  for (const running of started.splice(0)) {
    running.signal()
    await running.done
  }
  await home.remove()
})

const lockFile = (): string => path.join(home.folder, 'home', 'server.lock')

/** Starts a server and waits for its address. */
async function startServer(argv: readonly string[], options: CliOptions = {}): Promise<{ running: RunningCli; address: string }> {
  let tell = (_address: string): void => {}
  const listening = new Promise<string>((resolve) => (tell = resolve))
  const running = home.start(argv, { ...options, services: { onListening: tell, ...options.services } })
  started.push(running)
  const ended = running.done.then(({ stdout, stderr }) => {
    throw new Error(`it ended: ${stdout}${stderr}`)
  })
  const address = await Promise.race([listening, ended])
  return { running, address }
}

async function listenSomewhere(): Promise<{ port: number; close(): void }> {
  const server = createServer((_request, response) => response.end('not bendi'))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

describe('bendi up', () => {
  it('looks, chooses, starts, serves and says where; Ctrl-C ends it with 0 and frees the folder', async () => {
    const { running, address } = await startServer(['up', file, '--port', '0'])
    await running.until('/v1/chat/completions')
    expect(running.stderr()).toMatch(/This machine: .+\nDisk: .+\nModel: .+you chose it\./)
    expect(running.stdout()).toContain(`curl ${address}/v1/chat/completions`)
    const reply = await createClient({ baseUrl: address }).chat({ model: 'default', messages: [{ role: 'user', content: 'Hi' }] })
    expect(reply.choices[0]?.message.content).toBe('Hello from the script.')
    running.signal()
    expect((await running.done).code).toBe(0)
    await expect(access(lockFile())).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(fetch(address)).rejects.toThrow('fetch failed')
  })

  it('alone is the default command, takes flags, and gives its result as one JSON line', async () => {
    const { running, address } = await startServer(['--model', file, '--port', '0', '--json'])
    await running.until('\n')
    expect(JSON.parse(running.stdout())).toEqual({ address, model: `file:${file}`, pid: process.pid })
    expect(running.stderr()).toBe('')
  })

  it('downloads the model that it was told to run, and uses the library the next time', async () => {
    const hub = await startHubServer()
    try {
      hub.repositories.set('org/tiny', { files: { 'tiny-Q4_K_M.gguf': tinyModelBytes() } })
      const env = { HF_ENDPOINT: hub.origin, MODELSCOPE_ENDPOINT: hub.origin }
      const first = await startServer(['up', 'hf:org/tiny', '--port', '0'], { env })
      await first.running.until('curl')
      expect(first.running.stderr()).toContain('Done')
      first.running.signal()
      await first.running.done
    } finally {
      await hub.close()
    }
    const second = await startServer(['up', '--port', '0', '--offline'])
    await second.running.until('curl')
    expect(second.running.stderr()).toContain('already in the library')
  })

  it('lets requests for "default" wait while the first model still downloads', async () => {
    const hub = await startHubServer()
    try {
      hub.repositories.set('org/tiny', { files: { 'tiny-Q4_K_M.gguf': tinyModelBytes({ extraBytes: 100_000 }) } })
      const env = { HF_ENDPOINT: hub.origin, MODELSCOPE_ENDPOINT: hub.origin }
      const { address } = await startServer(['up', 'hf:org/tiny', '--port', '0', '--no-open'], { env, script: () => answer('Here.') })
      const reply = await createClient({ baseUrl: address }).chat({ model: 'default', messages: [{ role: 'user', content: 'Hi' }] })
      expect(reply.choices[0]?.message.content).toBe('Here.')
    } finally {
      await hub.close()
    }
  })

  it('opens the browser on a desktop only', async () => {
    const opened: string[] = []
    const services = { openBrowser: async (address: string) => void opened.push(address) }
    const desktop = { isTty: { stdout: true }, env: { DISPLAY: ':0' }, services }
    const elsewhere: CliOptions[] = [
      { env: { DISPLAY: ':0', CI: '1' } },
      { env: { DISPLAY: ':0', SSH_TTY: '/dev/pts/1' } },
      { env: {} },
      { isTty: {} },
    ]
    for (const more of elsewhere) {
      const { running } = await startServer(['up', file, '--port', '0'], { ...desktop, ...more })
      await running.until('curl')
      running.signal()
      await running.done
    }
    expect(opened).toEqual([])
    const { running, address } = await startServer(['up', file, '--port', '0'], desktop)
    await running.until('Ctrl-C')
    expect(opened).toEqual([address])
  })

  it('of a folder that a server has already shows that server; serve refuses', async () => {
    const { address } = await startServer(['up', file, '--port', '0'])
    const again = await home.run(['up'])
    expect(again.code).toBe(0)
    expect(again.stdout).toContain(address)
    const serve = await home.run(['serve'])
    expect(serve.code).toBe(1)
    expect(serve.stderr).toContain(address)
  })

  it('of a folder with a server starts another model there, and shows how to ask that one', async () => {
    const { running } = await startServer(['serve', '--port', '0'])
    await running.until('"model": "default"')
    const second = await home.run(['up', file])
    expect(second.code).toBe(0)
    expect(second.stdout).toContain(`"model": "file:${file}"`)
  })

  it('names who has the port and the next one; on a terminal it asks', async () => {
    const other = await listenSomewhere()
    try {
      const refused = await home.run(['up', file, '--port', String(other.port)])
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(new RegExp(`Port ${other.port} is taken by .+\\n.+--port \\d+`))
      await expect(access(lockFile())).rejects.toMatchObject({ code: 'ENOENT' })
      const asked = home.start(['up', file, '--port', String(other.port)], { isTty: { stdin: true, stderr: true } })
      started.push(asked)
      await asked.until('[Y/n]')
      asked.type('y\n')
      await asked.until('curl')
      expect(asked.stdout()).not.toContain(`:${other.port}/`)
    } finally {
      other.close()
    }
  })

  it('refuses to be reached from other machines', async () => {
    const { code, stderr } = await home.run(['up', file, '--host', '0.0.0.0'])
    expect(code).toBe(1)
    expect(stderr).toContain('0.0.0.0')
  })

  it('can be left with Ctrl-C while the model is starting', async () => {
    const never = new Promise<never>(() => {})
    const services = { createEngine: () => createScriptedEngine({ starting: never }) }
    const running = home.start(['up', file, '--port', '0'], { services })
    await running.until('Starting')
    running.signal()
    expect((await running.done).code).toBe(130)
    await expect(access(lockFile())).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('drains what runs at the first Ctrl-C and ends at once at the second', async () => {
    const never = new Promise<never>(() => {})
    const script = () => [{ type: 'text-delta' as const, choice: 0, text: 'x' }, never]
    const { running, address } = await startServer(['up', file, '--port', '0'], { script })
    await running.until('curl')
    const chat = createClient({ baseUrl: address }).streamChat({ model: 'default', messages: [{ role: 'user', content: 'Hi' }] })
    const chunks = chat[Symbol.asyncIterator]()
    await chunks.next()
    running.signal()
    running.signal()
    expect((await running.done).code).toBe(130)
    await chunks.return?.()
    started.length = 0
  })
})

describe('a stream that is cut by the end of the server', () => {
  it('ends with the error that says so', async () => {
    const never = new Promise<never>(() => {})
    const script = () => [{ type: 'text-delta' as const, choice: 0, text: 'x' }, never]
    const { running, address } = await startServer(['up', file, '--port', '0', '--no-open'], { script })
    await running.until('curl')
    const chat = createClient({ baseUrl: address }).streamChat({ model: 'default', messages: [{ role: 'user', content: 'Hi' }] })
    const chunks = chat[Symbol.asyncIterator]()
    await chunks.next()
    running.signal('SIGTERM')
    const readToTheEnd = async (): Promise<void> => {
      while (!(await chunks.next()).done);
    }
    await expect(readToTheEnd()).rejects.toMatchObject({ code: 'shutting-down' })
    expect((await running.done).code).toBe(0)
    started.length = 0
  })
})

describe('with a server, the commands', () => {
  it('work through it: pull, list, ps, run, stop, rm', async () => {
    const { running } = await startServer(['serve', '--port', '0'], { script: () => answer('From the server.') })
    await running.until('curl')
    expect((await home.run(['pull', file, '--json'])).code).toBe(0)
    expect(JSON.parse((await home.run(['list', '--json'])).stdout)).toHaveLength(1)
    expect((await home.run(['run', file, 'Hi', '--stats'], { script: () => answer('Not from here.') })).stdout).toBe('From the server.\n')
    expect(JSON.parse((await home.run(['ps', '--json'])).stdout)).toMatchObject([{ model: `file:${file}`, state: 'ready' }])
    expect((await home.run(['ps', '--lang', 'zh'])).stdout).toContain('就绪')
    expect(await home.run(['rm', `file:${file}`])).toMatchObject({ code: 1, stderr: expect.stringContaining('in use') })
    expect((await home.run(['stop'])).stderr).toContain('Stopped')
    expect(JSON.parse((await home.run(['ps', '--json'])).stdout)).toEqual([])
    expect((await home.run(['rm', `file:${file}`])).code).toBe(0)
    expect((await home.run(['doctor', '--json', '--offline'])).stdout).toContain('"port"')
  })
})

describe('the program itself, with the embedded engine', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))

  it('goes from up to an answer to SIGINT to exit code 0', { timeout: 180_000 }, async () => {
    const model = await writeTinyModel(home.folder, { architecture: 'qwen2' })
    const env = { ...process.env, BENDI_HOME: path.join(home.folder, 'home'), CI: '1' }
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'src/cli/main.ts', 'up', '--model', `file:${model}`, '--port', '0', '--json'],
      {
        cwd: root,
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    try {
      const { address, pid } = JSON.parse(await firstLine(child)) as { address: string; pid: number }
      expect(pid).toBe(child.pid)
      expect(JSON.parse(await readFile(lockFile(), 'utf8'))).toMatchObject({ address, pid })
      const client = createClient({ baseUrl: address })
      const reply = await client.chat({ model: 'default', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 4, ignore_eos: true })
      expect(reply.usage.completion_tokens).toBe(4)
      child.kill('SIGINT')
      expect(await exitOf(child)).toEqual({ code: 0, signal: null })
      await expect(access(lockFile())).rejects.toMatchObject({ code: 'ENOENT' })
    } finally {
      child.kill('SIGKILL')
    }
  })
})

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const piece of child.stdout ?? []) {
    text += String(piece)
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
  }
  throw new Error(`it ended without a line: ${text}`)
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  if (child.exitCode !== null) return Promise.resolve({ code: child.exitCode, signal: null })
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
}
