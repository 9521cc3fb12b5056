/** Log-probabilities of a prompt's own tokens, in a context that is made for them and freed again: rows of logits for every token are dear. */
import type { TokenLogprob } from '../../shared/generate.ts'
import type { KvType } from '../engine.ts'
import { LogitRows } from './logit-rows.ts'
import { createLogitScan } from './logit-scan.ts'
import type { LlamaModel } from './model.ts'
import { openContext } from './native-context.ts'
import type { NativeContext } from './native-context.ts'
import { tokenLogprob } from './token-logprob.ts'
import type { LogprobTools } from './token-logprob.ts'

export interface PromptScorerOptions {
  model: LlamaModel
  kvType: KvType
  threads: number
  /** Does something alone with the model's threads. */
  alone<T>(action: () => Promise<T>): Promise<T>
}

/** Tokens of one computation, so rows of logits at a time; always the same cuts, so always the same sums. */
const CHUNK = 64

/** One entry a token, with the `top` likeliest instead of it. Nothing is before the first, so 0 stands there. Ends early when aborted. */
export async function scorePrompt(
  tokens: readonly number[],
  top: number,
  { model, kvType, threads, alone }: PromptScorerOptions,
  isAborted: () => boolean,
): Promise<TokenLogprob[]> {
  const tools: LogprobTools = { scan: createLogitScan(model.shape.vocabularySize), pieceBytes: (token) => model.pieceBytes(token, true) }
  const native = await alone(() =>
    openContext(model, {
      layout: 'unified',
      slots: 1,
      cells: tokens.length,
      kvType,
      batchTokens: CHUNK,
      microBatchTokens: CHUNK,
      threads,
      batchThreads: threads,
      maxOutputs: CHUNK,
    }),
  )
  const rows = new LogitRows(model)
  const scores = [firstToken(tokens, tools)]
  try {
    for (let start = 0; start < tokens.length - 1 && !isAborted(); start += CHUNK) {
      const count = Math.min(CHUNK, tokens.length - start)
      // Others may have their turn between two chunks.
      await alone(() => decode(model, native, tokens.slice(start, start + count), start))
      rows.refresh(native.context, count)
      for (let row = 0; row < count && start + row + 1 < tokens.length; row++) {
        scores.push(tokenLogprob(rows.row(row), tokens[start + row + 1] ?? 0, top, tools))
      }
    }
    return scores
  } finally {
    native.batch.free()
    model.binding.freeContext(native.context)
  }
}

function firstToken(tokens: readonly number[], { pieceBytes }: LogprobTools): TokenLogprob {
  const bytes = pieceBytes(tokens[0] ?? 0)
  return { token: new TextDecoder().decode(bytes), bytes: [...bytes], logprob: 0, top: [] }
}

async function decode(
  { binding, usesGpu }: LlamaModel,
  { context, batch }: NativeContext,
  tokens: readonly number[],
  start: number,
): Promise<void> {
  tokens.forEach((token, index) => {
    batch.token[index] = token
    batch.position[index] = start + index
    batch.slot(index, 0)
    batch.output[index] = 1
  })
  batch.native.n_tokens = tokens.length
  const code = await binding.decode(context, batch.native)
  if (code !== 0) throw new Error(`llama_decode of a prompt to be scored: code ${code}`)
  if (usesGpu) await binding.synchronize(context)
}
