/**
 * One sequence's sampler: llama.cpp's default chain
 *   logit bias → penalties → DRY → top-k → typical → top-p → min-p → XTC → temperature → distribution (or greedy).
 * Bias, penalties and small top-k are done here on the row of logits, so that the native chain sees a few candidates instead of the
 * whole vocabulary; the rest is libllama's. What an answer is held to (token-rule.ts) is asked about the sampled token first, and masks the row
 * only when it says no: what is sampled is distributed as if it had always masked.
 */
import { AnswerRule } from './answer-rule.ts'
import type { ClosedBy } from './answer-rule.ts'
import type { SamplerSettings } from './batch.ts'
import type { CandidateArray, SamplerPointer } from './binding-types.ts'
import { openGrammar } from './grammar-rule.ts'
import type { LogitScan } from './logit-scan.ts'
import { fillCandidates } from './logits.ts'
import type { LlamaModel } from './model.ts'
import { Penalties } from './penalties.ts'
import { joinRules } from './token-rule.ts'
import type { TokenRule } from './token-rule.ts'

export interface SequenceSampler {
  /** Samples from a row of logits (native memory, changed by it) and accepts. Undefined when nothing may follow (a grammar that is at its end, or a model that computes no numbers). */
  sample(logits: Float32Array): number | undefined
  /** The next token belongs to a thought. */
  readonly isThinking: boolean
  /** The next tokens end the thought; false when none is open. */
  closeThought(): boolean
  /** Why the thought was closed for the model; told once. */
  takeClosedBy(): ClosedBy | undefined
  close(): void
}

/** Native memory that all samplers of a runner share. */
export interface SamplerScratch {
  scan: LogitScan
  /** Room for `SMALL_TOP_K` candidates. */
  small: CandidateArray
  /** Room for the whole vocabulary, made when first needed. */
  whole(): CandidateArray
}

/** llama.cpp's defaults (common/common.h), for what a request leaves open. */
export const SAMPLING_DEFAULTS = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  typicalP: 1,
  xtcProbability: 0,
  xtcThreshold: 0.1,
  dryMultiplier: 0,
  dryBase: 1.75,
  dryAllowedLength: 2,
  dryPenaltyLastN: 64,
  drySequenceBreakers: ['\n', ':', '"', '*'],
  repetitionPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  penaltyLastN: 64,
} as const

/** Up to here, selecting in JavaScript is faster than handing over the whole vocabulary. */
export const SMALL_TOP_K = 256
/** Below, logits divided by it may overflow; there is no visible difference to greedy. */
const LOWEST_TEMPERATURE = 1e-5

/** Native numbers of tokens are 32 bits wide: larger ones would come round as small or negative ones. */
const MOST_NATIVE = 2 ** 31 - 1

type Resolved = Required<Omit<SamplerSettings, 'logitBias' | 'grammar' | 'logprobs' | 'hold' | 'drySequenceBreakers'>> &
  Pick<SamplerSettings, 'logitBias' | 'grammar'> & { drySequenceBreakers: readonly string[] }

/** Throws a GrammarError for a grammar that libllama cannot read, an Error when libllama is out of memory. */
export function openSampler(
  model: LlamaModel,
  settings: SamplerSettings,
  prompt: readonly number[],
  scratch: SamplerScratch,
): SequenceSampler {
  const resolved: Resolved = { ...SAMPLING_DEFAULTS, ...definedOnly(settings), seed: settings.seed, ignoreEos: settings.ignoreEos }
  const bias = collectBias(model, resolved)
  const penalties = openPenalties(resolved, prompt)
  const { rule, thoughts } = openRules(model, settings, scratch)
  const picker = openPicker(model, resolved, prompt, scratch)
  return {
    sample(logits) {
      for (const [token, value] of bias) logits[token] = (logits[token] ?? 0) + value
      penalties?.apply(logits)
      const token = rule ? pickUnder(rule, picker, logits) : picker.pick(logits)
      if (token === undefined) return undefined
      penalties?.accept(token)
      picker.accept(token)
      return token
    },
    get isThinking() {
      return thoughts?.isThinking ?? false
    },
    closeThought: () => thoughts?.closeThought() ?? false,
    takeClosedBy: () => thoughts?.takeClosedBy(),
    close() {
      picker.close()
      rule?.close()
    },
  }
}

/** A grammar of `sampling` holds from the first token on, thoughts or not; anything else holds the answer only. */
function openRules(
  model: LlamaModel,
  { grammar, hold }: SamplerSettings,
  scratch: SamplerScratch,
): { rule?: TokenRule | undefined; thoughts?: AnswerRule } {
  if (grammar !== undefined && !hold?.replacesGrammar) return { rule: openGrammar(model, grammar, scratch) }
  const answer = joinRules(hold?.rules.map((open) => open()) ?? [])
  if (!hold?.thought) return { rule: answer }
  const decoder = new TextDecoder()
  const thoughts = new AnswerRule({
    thought: hold.thought,
    answer,
    textOf: (token) => decoder.decode(model.pieceBytes(token, true)),
    tokenize: (text) => model.tokenize(text, { addSpecial: false, parseSpecial: true }),
    isEnd: (token) => model.isEndOfGeneration(token),
  })
  return { rule: thoughts, thoughts }
}

/** The model's choice when the rule has nothing against it; otherwise what must come, or its choice among what may. */
function pickUnder(rule: TokenRule, picker: Picker, logits: Float32Array): number | undefined {
  const must = rule.forced()
  if (must !== undefined) return rule.tryAccept(must) ? must : undefined
  const free = picker.pick(logits)
  if (free === undefined || rule.tryAccept(free)) return free
  const instead = rule.forced()
  if (instead !== undefined) return rule.tryAccept(instead) ? instead : undefined
  rule.mask(logits)
  const held = picker.pick(logits)
  return held !== undefined && rule.tryAccept(held) ? held : undefined
}

function definedOnly<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
}

/** Token → what is added to its logit. The file's own suppressed tokens are never sampled, as in llama.cpp. */
function collectBias(model: LlamaModel, { logitBias, ignoreEos }: Resolved): Map<number, number> {
  const size = model.shape.vocabularySize
  const asked = Object.entries(logitBias ?? {}).map(([token, value]): [number, number] => [Number(token), value])
  const bias = new Map(asked.filter(([token]) => token < size))
  for (const token of model.suppressedTokens()) bias.set(token, Number.NEGATIVE_INFINITY)
  if (ignoreEos) for (const token of model.endOfGenerationTokens()) bias.set(token, Number.NEGATIVE_INFINITY)
  return bias
}

function openPenalties(settings: Resolved, prompt: readonly number[]): Penalties | undefined {
  const penalties = {
    // 0 would divide by zero; llama.cpp refuses it.
    repetition: settings.repetitionPenalty > 0 ? settings.repetitionPenalty : 1,
    frequency: settings.frequencyPenalty,
    presence: settings.presencePenalty,
    lastN: settings.penaltyLastN,
  }
  if (!Penalties.areNeeded(penalties)) return undefined
  const opened = new Penalties(penalties)
  for (const token of penalties.lastN < 0 ? prompt : prompt.slice(-penalties.lastN)) opened.accept(token)
  return opened
}

// --- picking ---

interface Picker {
  pick(logits: Float32Array): number | undefined
  /** For what keeps a history. */
  accept(token: number): void
  close(): void
}

function openPicker(model: LlamaModel, settings: Resolved, prompt: readonly number[], scratch: SamplerScratch): Picker {
  const usesDry = settings.dryMultiplier > 0 && settings.dryPenaltyLastN !== 0
  const isGreedy = settings.temperature < LOWEST_TEMPERATURE
  if (isGreedy && !usesDry) return greedyPicker(scratch)
  const isSmall = !usesDry && settings.topK > 0 && settings.topK <= SMALL_TOP_K
  const chain = makeChain(model, { ...settings, usesDry, isGreedy, hasTopK: !isSmall })
  if (usesDry) for (const token of lastTokens(prompt, settings.dryPenaltyLastN)) model.binding.acceptToken(chain, token)
  const select = isSmall
    ? (logits: Float32Array) => ({ candidates: scratch.small, size: scratch.scan.selectTop(logits, settings.topK, scratch.small) })
    : (logits: Float32Array) => {
        // Native code asserts that something was selected, so a row without a finite number must not reach it.
        if (scratch.scan.argmax(logits) < 0) return { candidates: scratch.small, size: 0 }
        fillCandidates(logits, scratch.whole())
        return { candidates: scratch.whole(), size: logits.length }
      }
  return {
    pick(logits) {
      const { candidates, size } = select(logits)
      if (size === 0) return undefined
      candidates.reset(size, isSmall)
      model.binding.applySampler(chain, candidates.pointer)
      const selected = candidates.selected()
      return selected < 0 || selected >= size ? undefined : candidates.ids[3 * selected]
    },
    accept: (token) => usesDry && model.binding.acceptToken(chain, token),
    close: () => model.binding.freeSampler(chain),
  }
}

function greedyPicker({ scan }: SamplerScratch): Picker {
  return {
    pick(logits) {
      const token = scan.argmax(logits)
      return token < 0 ? undefined : token
    },
    accept: () => {},
    close: () => {},
  }
}

function lastTokens(prompt: readonly number[], count: number): readonly number[] {
  return count < 0 ? prompt : prompt.slice(-count)
}

type ChainSettings = Resolved & { usesDry: boolean; isGreedy: boolean; hasTopK: boolean }

function makeChain(model: LlamaModel, settings: ChainSettings): SamplerPointer {
  const { binding } = model
  const chain = binding.createChain()
  const links = chain && chainLinks(model, settings)
  if (!chain || links?.some((link) => link === undefined)) throw new Error('libllama could not make a sampler')
  for (const link of links ?? []) if (link) binding.addToChain(chain, link)
  return chain
}

function chainLinks({ binding, vocabulary, shape }: LlamaModel, settings: ChainSettings): (SamplerPointer | undefined)[] {
  const { topK, typicalP, topP, minP, xtcProbability, xtcThreshold, temperature, seed } = settings
  const dry = {
    multiplier: settings.dryMultiplier,
    base: settings.dryBase,
    allowedLength: Math.min(settings.dryAllowedLength, MOST_NATIVE),
    // libllama makes room for so many tokens at once, however long the text is.
    lastN: settings.dryPenaltyLastN < 0 ? shape.trainedContext : Math.min(settings.dryPenaltyLastN, shape.trainedContext),
    breakers: settings.drySequenceBreakers,
  }
  const start = settings.usesDry ? [binding.dry(vocabulary, dry)] : []
  if (settings.isGreedy) return [...start, binding.greedy()]
  return [
    ...start,
    ...(settings.hasTopK && topK > 0 ? [binding.topK(Math.min(topK, MOST_NATIVE))] : []),
    ...(typicalP < 1 ? [binding.typical(typicalP, 0)] : []),
    ...(topP < 1 ? [binding.topP(topP, 0)] : []),
    ...(minP > 0 ? [binding.minP(minP, 0)] : []),
    ...(xtcProbability > 0 ? [binding.xtc(xtcProbability, xtcThreshold, 0, seed)] : []),
    binding.temperature(temperature),
    binding.distribution(seed),
  ]
}
