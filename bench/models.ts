/** The two models that are measured; made or downloaded once into a cache folder. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { realModel } from '../test/fixtures/real-model.ts'

export const BENCH_MODELS = ['r1-1.5b', 'smollm2'] as const
export type BenchModelName = (typeof BENCH_MODELS)[number]

export interface ModelTools {
  /** Folder of llama-quantize (the peer's). */
  peer: string | undefined
  /** shared/tools/make-gguf.py */
  generator: string | undefined
}

/** A GGUF of that model. Throws with what is missing to make it. */
export async function benchModel(name: BenchModelName, tools: ModelTools): Promise<string> {
  return name === 'smollm2' ? smollm2() : r1Shape(tools)
}

function cacheFolder(): string {
  const folder = path.join(process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), 'bendi-bench')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** SmolLM2-135M-Instruct Q4_1, the same file that the tests use. */
async function smollm2(): Promise<string> {
  const file = await realModel()
  if (typeof file === 'string') return file
  throw new Error(file.skip)
}

/** Random weights in the exact shape of R1-Distill-Qwen-1.5B, Q4_K_M: speed and memory depend on the shape only. */
function r1Shape({ peer, generator }: ModelTools): string {
  const file = path.join(cacheFolder(), 'r1-1.5b-Q4_K_M.gguf')
  if (existsSync(file)) return file
  if (!peer) throw new Error('r1-1.5b needs llama-quantize: build the peer and set BENDI_PEER_BIN')
  if (!generator) throw new Error('r1-1.5b needs make-gguf.py: set BENDI_MAKE_GGUF to its path')
  const vocabulary = path.resolve(peer, '../../models/ggml-vocab-qwen2.gguf')
  const python = pythonWithGguf()
  const f16 = finish(path.join(cacheFolder(), 'r1-1.5b-f16.gguf'), (part) => run(python, [generator, 'r1-1.5b', vocabulary, part]))
  finish(file, (part) => run(path.join(peer, 'llama-quantize'), [f16, part, 'Q4_K_M']))
  rmSync(f16)
  return file
}

function pythonWithGguf(): string {
  const folder = path.join(cacheFolder(), 'venv')
  const python = path.join(folder, 'bin', 'python')
  if (!existsSync(python)) run('python3', ['-m', 'venv', folder])
  run(python, ['-m', 'pip', 'install', '-q', 'gguf', 'numpy'])
  return python
}

/** Under another name until it is whole. */
function finish(file: string, make: (part: string) => void): string {
  make(`${file}.part`)
  renameSync(`${file}.part`, file)
  return file
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
