/**
 * `npm run test:clients [-- NAME…]`: official clients and programs of others against the real server. Not a part of `npm test`: it needs a
 * network (pip) and minutes. What cannot be run here is told as skipped, with the reason; `open-webui` runs only when it is named.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { freePort } from './free-port.ts'
import { realModel } from '../fixtures/real-model.ts'
import { pythonWith } from './python-environment.ts'

interface Program {
  name: string
  /** Of the Python environment, which several share. */
  environment: string
  packages: readonly string[]
  /** Takes long to install; only when it is asked for by name. */
  isHeavy?: boolean
}

const SDKS = { environment: 'sdks', packages: ['anthropic', 'openai', 'ollama', 'langchain-openai', 'pydantic'] } as const
const PROGRAMS: readonly Program[] = [
  { name: 'anthropic-sdk', ...SDKS },
  { name: 'openai-sdk', ...SDKS },
  { name: 'langchain-openai', ...SDKS },
  { name: 'ollama-sdk', ...SDKS },
  { name: 'litellm-proxy', environment: 'litellm', packages: ['litellm[proxy]', 'openai', 'anthropic'] },
  { name: 'open-webui', environment: 'open-webui', packages: ['open-webui'], isHeavy: true },
]
const SCHEMATHESIS = 'schemathesis'
/** Seconds of generated requests, after those that cover every rule once. */
const FUZZ_SECONDS = Number(process.env['BENDI_FUZZ_SECONDS'] ?? 600)
const START_MS = 120_000
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
]

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(here, '..', '..')
const ResultSchema = z.object({ name: z.string(), result: z.enum(['passed', 'failed']), detail: z.string() })
const tally = { passed: 0, failed: 0, skipped: [] as string[] }
const say = (text: string): void => void process.stdout.write(`${text}\n`)

function count(name: string, hasPassed: boolean, detail: string): void {
  tally[hasPassed ? 'passed' : 'failed'] += 1
  say(`  ${hasPassed ? '✓' : '✗'} ${name}${detail ? ` (${detail})` : ''}`)
}

function skip(name: string, reason: string): void {
  tally.skipped.push(`${name}: ${reason}`)
  say(`  – skipped: ${reason}`)
}

/** Where schemathesis finds schemathesis_hooks.py. */
const HOOKS = { PYTHONPATH: here, SCHEMATHESIS_HOOKS: 'schemathesis_hooks', PYTHONDONTWRITEBYTECODE: '1' } as const

interface Server {
  address: string
  stop(): Promise<void>
}

/** A program that serves on the port; ready when it answers. */
async function startServer(command: readonly string[], port: number, env: NodeJS.ProcessEnv): Promise<Server> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
  const address = `http://127.0.0.1:${port}`
  for (const end = Date.now() + START_MS; Date.now() < end;) {
    if (child.exitCode !== null) break
    if (await isReady(address)) return { address, stop: () => endProcess(child) }
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  await endProcess(child)
  throw new Error(`${command.join(' ')} did not start`)
}

async function isReady(address: string): Promise<boolean> {
  try {
    return (await fetch(`${address}/ready`)).ok
  } catch {
    return false
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Runs one of the Python programs here, and counts the lines that it tells. */
async function runProgram({ name, environment, packages }: Program, address: string): Promise<void> {
  const found = await pythonWith(environment, packages)
  if ('skip' in found) return skip(name, found.skip)
  const child = spawn(found.python, [path.join(here, `${name}.py`)], {
    cwd: here,
    env: { ...process.env, BENDI_ADDRESS: address, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let told = 0
  let errors = ''
  child.stderr.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-2000)))
  const exit = once(child, 'exit')
  for await (const line of createInterface(child.stdout)) {
    const result = ResultSchema.safeParse(parseJson(line))
    if (!result.success) continue
    told++
    count(result.data.name, result.data.result === 'passed', result.data.detail)
  }
  await exit
  if (told === 0) count('it runs', false, errors.trim().split('\n').at(-1) ?? '')
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

async function runSchemathesis(): Promise<void> {
  const found = await pythonWith(SCHEMATHESIS, [SCHEMATHESIS])
  if ('skip' in found) return skip(SCHEMATHESIS, found.skip)
  const port = await freePort()
  const tsx = path.join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs')
  const server = await startServer([process.execPath, tsx, path.join(here, 'serve-scripted.ts'), String(port)], port, process.env)
  const folder = await mkdtemp(path.join(tmpdir(), 'bendi-schemathesis-'))
  try {
    const program = path.join(path.dirname(found.python), process.platform === 'win32' ? 'schemathesis.exe' : 'schemathesis')
    const limits = ['--max-time', String(FUZZ_SECONDS), '--max-examples', '60', '--suppress-health-check', 'all']
    const what = ['--phases', 'coverage,fuzzing,stateful', '--checks', CHECKS.join(','), '--continue-on-failure', '--warnings', 'off']
    const child = spawn(program, ['run', `${server.address}/openapi.json`, ...what, ...limits], {
      cwd: folder,
      env: { ...process.env, ...HOOKS },
      stdio: 'inherit',
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    count('generated requests: no 5xx, and every reply as the document says', code === 0, `exit code ${code}`)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function runPrograms(programs: readonly Program[]): Promise<void> {
  const model = await realModel()
  if (typeof model !== 'string') return programs.forEach(({ name }) => skip(name, model.skip))
  const home = await mkdtemp(path.join(tmpdir(), 'bendi-clients-'))
  const port = await freePort()
  const command = [process.execPath, path.join('bin', 'bendi.js'), 'serve', '--port', String(port), '--model', `file:${model}`]
  const server = await startServer(command, port, { ...process.env, BENDI_HOME: home })
  try {
    for (const program of programs) {
      say(`\n${program.name}`)
      await runProgram(program, server.address)
    }
  } finally {
    await server.stop()
    await rm(home, { recursive: true, force: true })
  }
}

const asked = new Set(process.argv.slice(2))
const isAsked = (name: string): boolean => asked.size === 0 || asked.has(name)
const unknown = [...asked].filter((name) => name !== SCHEMATHESIS && !PROGRAMS.some((program) => program.name === name))
if (unknown.length > 0)
  throw new Error(`there is no ${unknown.join(', ')}; there are ${[...PROGRAMS.map(({ name }) => name), SCHEMATHESIS].join(', ')}`)
const chosen = PROGRAMS.filter(({ name, isHeavy }) => asked.has(name) || (isAsked(name) && !isHeavy))
if (chosen.length > 0) await runPrograms(chosen)
if (isAsked(SCHEMATHESIS)) {
  say(`\n${SCHEMATHESIS}`)
  await runSchemathesis()
}
for (const { name, isHeavy } of PROGRAMS) if (isHeavy && !asked.has(name)) tally.skipped.push(`${name}: takes long; name it to run it`)
if (tally.skipped.length > 0) say(`\nSkipped:\n${tally.skipped.map((line) => `  ${line}`).join('\n')}`)
say(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped`)
process.exitCode = tally.failed === 0 ? 0 : 1
