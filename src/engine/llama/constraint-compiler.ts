/** Constraints → matchers, in one instance of XGrammar. Single-threaded and blocking: constraint-trial.ts finds out first what a constraint costs. */
import type { ConstraintRoot, StructuralFormat, StructuralTag } from '../../formats/constraint.ts'
import type { Matcher } from './constraint-rule.ts'
import { toXGrammar } from './gbnf-dialect.ts'
import type { TokenVocabulary } from './token-vocabulary.ts'
import { mendPattern, mendSchemaGrammar } from './xgrammar-mends.ts'
import { withMendedPatterns, withRanges } from './xgrammar-schema.ts'
import { loadXGrammar } from './xgrammar.ts'
import type { CompiledGrammar, GrammarCompiler, GrammarMatcher, XGrammar } from './xgrammar.ts'

export interface CompiledConstraint {
  /** For one sequence; it begins with the answer's first token. */
  open(): Matcher
  /** What was opened stays usable. */
  dispose(): void
  /** It has failed and cannot be used any more. */
  readonly isBroken: boolean
}

/** What XGrammar says about a constraint that it does not take. */
export class ConstraintRefused extends Error {}

/** It may be in order, but nobody can wait for it. */
export class ConstraintTooDear extends ConstraintRefused {}

export class ConstraintCompiler {
  readonly #xgrammar: XGrammar
  readonly #compiler: GrammarCompiler
  readonly #vocabularySize: number
  readonly #messages: string[]
  #isBroken = false

  private constructor(xgrammar: XGrammar, compiler: GrammarCompiler, vocabularySize: number, messages: string[]) {
    this.#xgrammar = xgrammar
    this.#compiler = compiler
    this.#vocabularySize = vocabularySize
    this.#messages = messages
  }

  static async create({ texts, stopTokens }: TokenVocabulary): Promise<ConstraintCompiler> {
    const messages: string[] = []
    const xgrammar = loadXGrammar((line) => messages.push(line))
    const tokenizer = await xgrammar.TokenizerInfo.createTokenizerInfo(texts, 'byte_level', false, texts.length, stopTokens)
    const compiler = await xgrammar.GrammarCompiler.createGrammarCompiler(tokenizer, false)
    return new ConstraintCompiler(xgrammar, compiler, texts.length, messages)
  }

  get heapBytes(): number {
    return this.#xgrammar.heapBytes()
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Throws ConstraintRefused; then this compiler and all its matchers must not be used any more. */
  async compile(root: ConstraintRoot): Promise<CompiledConstraint> {
    this.#messages.length = 0
    try {
      const grammar = await compileRoot(this.#xgrammar, this.#compiler, root)
      return this.#compiled(grammar)
    } catch (error) {
      this.#isBroken = true
      throw new ConstraintRefused(reasonOf(this.#messages, error), { cause: error })
    }
  }

  #compiled(grammar: CompiledGrammar): CompiledConstraint {
    const isBroken = (): boolean => this.#isBroken
    return {
      open: () => this.#guarded(this.#xgrammar.openMatcher(grammar)),
      dispose: () => isBroken() || grammar.dispose(),
      get isBroken() {
        return isBroken()
      },
    }
  }

  /** After a trap the whole instance is lost. */
  #guarded(matcher: GrammarMatcher): Matcher {
    const guard = <T>(work: () => T): T => {
      if (this.#isBroken) throw new Error('XGrammar has failed before')
      try {
        return work()
      } catch (error) {
        this.#isBroken = true
        throw error
      }
    }
    const inner = matcherOver(this.#xgrammar, matcher, this.#vocabularySize)
    return {
      accept: (token) => guard(() => inner.accept(token)),
      useAllowed: (use) => guard(() => inner.useAllowed(use)),
      close: () => this.#isBroken || inner.close(),
    }
  }
}

async function compileRoot(xgrammar: XGrammar, compiler: GrammarCompiler, root: ConstraintRoot): Promise<CompiledGrammar> {
  switch (root.type) {
    case 'json-schema':
      return compiler.compileGrammar(await schemaGrammar(xgrammar, root.schema))
    case 'json-object':
      return compiler.compileGrammar(await schemaGrammar(xgrammar, { type: 'object', additionalProperties: true }))
    case 'grammar':
      return compiler.compileGrammar(toXGrammar(root.grammar))
    case 'regex':
      return compiler.compileStructuralTag({
        type: 'structural_tag',
        format: { type: 'regex', pattern: mendPattern(root.pattern, 'text') },
      })
    case 'structural':
      return compiler.compileStructuralTag({ type: 'structural_tag', format: await mendFormat(xgrammar, root.format) })
  }
}

/** Only properties that the schema names, unless it asks for others. */
async function schemaGrammar({ schemaToGrammar }: XGrammar, schema: object | boolean): Promise<string> {
  return withRanges(mendSchemaGrammar(await schemaToGrammar(JSON.stringify(withMendedPatterns(schema)), true, 2, undefined, true)))
}

async function mendFormat(xgrammar: XGrammar, format: StructuralFormat): Promise<StructuralFormat> {
  switch (format.type) {
    case 'json_schema':
      return { type: 'grammar', grammar: await schemaGrammar(xgrammar, format.json_schema) }
    case 'regex':
      return { ...format, pattern: mendPattern(format.pattern, 'text') }
    case 'grammar':
      return { ...format, grammar: toXGrammar(format.grammar) }
    case 'sequence':
    case 'or':
      return { ...format, elements: await Promise.all(format.elements.map((element) => mendFormat(xgrammar, element))) }
    case 'tag':
      return mendTag(xgrammar, format)
    case 'triggered_tags':
    case 'tags_with_separator':
      return { ...format, tags: await Promise.all(format.tags.map((tag) => mendTag(xgrammar, tag))) }
    case 'any_text':
    case 'const_string':
      return format
  }
}

async function mendTag(xgrammar: XGrammar, tag: StructuralTag): Promise<StructuralTag> {
  return { ...tag, content: await mendFormat(xgrammar, tag.content) }
}

/** `[FATAL] /path/file.cc:12: Check failed: (…) is false: the reason` → the reason. */
function reasonOf(messages: readonly string[], error: unknown): string {
  const fatal = messages.find((line) => line.includes('[FATAL]'))
  if (fatal === undefined)
    return error instanceof Error
      ? error instanceof RangeError || error.name === 'RuntimeError'
        ? `it is too deeply nested or too large (${error.message})`
        : error.message
      : String(error)
  return fatal
    .replace(/^.*?\[FATAL\] \S+:\d+: /s, '')
    .replace(/^Check failed: .*? is false: /s, '')
    .trim()
}

function matcherOver(xgrammar: XGrammar, matcher: GrammarMatcher, vocabularySize: number): Matcher {
  return {
    accept: (token) => !matcher.isTerminated() && matcher.acceptToken(token),
    useAllowed(use) {
      // XGrammar aborts when it is asked after the end.
      if (matcher.isTerminated()) return use(new Int32Array(Math.ceil(vocabularySize / 32)))
      const vector = matcher.handle.GetNextTokenBitmask(vocabularySize)
      use(xgrammar.viewOf(vector))
      vector.delete()
    },
    close: () => matcher.dispose(),
  }
}
