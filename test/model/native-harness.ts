/** Drives the native runner directly, without the scheduler, for the tests of the binding. */
import { afterAll } from 'vitest'
import type { Run, RunResult, SampledToken, SamplerSettings } from '../../src/engine/llama/batch.ts'
import { loadBinding } from '../../src/engine/llama/binding.ts'
import type { Binding } from '../../src/engine/llama/binding-types.ts'
import { chooseKernel } from '../../src/engine/llama/kernels.ts'
import { findNativePackage } from '../../src/engine/llama/native-package.ts'
import type { LlamaModel } from '../../src/engine/llama/model.ts'
import { createRunner } from '../../src/engine/llama/runner.ts'
import type { LlamaRunner, RunnerOptions } from '../../src/engine/llama/runner.ts'
import { silentLogger } from '../../src/base/logger.ts'
import os from 'node:os'
import path from 'node:path'

export const GREEDY: SamplerSettings = { temperature: 0, seed: 1, ignoreEos: true }

const nativePackage = findNativePackage()
const cacheFile = path.join(os.tmpdir(), 'bendi-test-kernel.json')
const { variant } = await chooseKernel({ nativePackage, cacheFile, logger: silentLogger })
export const binding: Binding = loadBinding({ package: nativePackage, kernel: variant })

/** One thread: on a busy machine libllama's threads wait for each other in a loop, and then nothing goes on. */
export const SMALL: RunnerOptions = {
  layout: 'unified',
  slots: 4,
  cells: 1024,
  kvType: 'f16',
  batchTokens: 512,
  microBatchTokens: 512,
  threads: 1,
  batchThreads: 1,
}

/** A runner that is closed after the file's tests. */
export async function openRunner(model: LlamaModel, options: Partial<RunnerOptions> = {}): Promise<LlamaRunner> {
  const runner = await createRunner(model, { ...SMALL, ...options })
  opened.push(runner)
  return runner
}

const opened: LlamaRunner[] = []
afterAll(() => {
  for (const runner of opened.splice(0)) runner.close()
})

/** One sequence in a slot: what it holds, and its next token. */
export interface Chat {
  sequence: number
  slot: number
  /** Computed. */
  length: number
  next: SampledToken
}

export async function runOnly(
  runner: LlamaRunner,
  runs: Run[],
  operations: Parameters<LlamaRunner['run']>[0]['operations'] = [],
): Promise<RunResult> {
  return runner.run({ operations, runs, tokenCount: runs.reduce((sum, run) => sum + run.tokens.length, 0) })
}

/** Opens a sampler, computes the prompt and samples. Throws when the sampler cannot be opened. */
export async function start(
  runner: LlamaRunner,
  { slot, tokens, sampling = GREEDY, from = 0 }: { slot: number; tokens: readonly number[]; sampling?: SamplerSettings; from?: number },
): Promise<Chat> {
  const sequence = 100 + slot
  const result = await runOnly(
    runner,
    [{ sequence, slot, start: from, tokens: tokens.slice(from), sample: true, draft: 0 }],
    [{ type: 'open', sequence, sampling, tokens }],
  )
  return { sequence, slot, length: tokens.length, next: firstToken(result, sequence) }
}

/** One step of several sequences in one batch; `count` times. Returns the tokens of each, the first one included. */
export async function proceed(runner: LlamaRunner, chats: readonly Chat[], count: number): Promise<SampledToken[][]> {
  const tokens = chats.map((chat) => [chat.next])
  for (let step = 0; step < count; step++) {
    const runs = chats.map((chat): Run => ({
      sequence: chat.sequence,
      slot: chat.slot,
      start: chat.length,
      tokens: [chat.next.token],
      sample: true,
      draft: 0,
    }))
    const result = await runOnly(runner, runs)
    for (const [index, chat] of chats.entries()) {
      chat.length += 1
      chat.next = firstToken(result, chat.sequence)
      tokens[index]?.push(chat.next)
    }
  }
  return tokens
}

export function firstToken(result: RunResult, sequence: number): SampledToken {
  const token = result.sampled.find((sampled) => sampled.sequence === sequence)?.tokens[0]
  if (!token) throw new Error(`nothing sampled: ${JSON.stringify(result.failures)}`)
  return token
}

export function idsOf(tokens: readonly SampledToken[]): number[] {
  return tokens.map(({ token }) => token)
}

export function textOf(model: LlamaModel, tokens: readonly number[]): string {
  return Buffer.concat(tokens.map((token) => model.pieceBytes(token))).toString('utf8')
}
