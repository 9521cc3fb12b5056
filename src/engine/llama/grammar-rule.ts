/** A GBNF grammar as libllama reads and applies it. */
import type { CandidateArray, SamplerPointer } from './binding-types.ts'
import { findGrammarProblem } from './grammar-problem.ts'
import { fillCandidates } from './logits.ts'
import type { LlamaModel } from './model.ts'
import type { TokenRule } from './token-rule.ts'

export class GrammarError extends Error {}

/** Native memory that the rules of a runner share. */
export interface GrammarScratch {
  /** Room for one candidate at least. */
  small: CandidateArray
  /** Room for the whole vocabulary, made when first needed. */
  whole(): CandidateArray
}

/** Throws a GrammarError for a grammar that libllama cannot read, or that is too large to be applied in time. */
export function openGrammar(model: LlamaModel, gbnf: string, scratch: GrammarScratch): TokenRule {
  const { binding, vocabulary } = model
  const problem = findGrammarProblem(gbnf)
  if (problem) throw new GrammarError(problem)
  const grammar = binding.grammar(vocabulary, gbnf)
  if (!grammar) throw new GrammarError('it does not parse, is left-recursive, or has no rule "root"')
  return {
    forced: () => undefined,
    tryAccept(token) {
      if (!isAllowed(model, grammar, token, scratch.small)) return false
      binding.acceptToken(grammar, token)
      return true
    },
    mask: (logits) => maskByGrammar(model, grammar, logits, scratch.whole()),
    close: () => binding.freeSampler(grammar),
  }
}

function isAllowed({ binding }: LlamaModel, grammar: SamplerPointer, token: number, one: CandidateArray): boolean {
  one.ids[0] = token
  one.logits[1] = 1
  one.reset(1, false)
  binding.applySampler(grammar, one.pointer)
  return one.logits[1] !== Number.NEGATIVE_INFINITY
}

/** The grammar sampler does not reorder its candidates. */
function maskByGrammar({ binding }: LlamaModel, grammar: SamplerPointer, logits: Float32Array, whole: CandidateArray): void {
  fillCandidates(logits, whole)
  whole.reset(logits.length, false)
  binding.applySampler(grammar, whole.pointer)
  for (let token = 0, at = 1; token < logits.length; token++, at += 3) logits[token] = whole.logits[at] ?? 0
}
