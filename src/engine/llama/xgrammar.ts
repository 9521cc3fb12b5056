/**
 * XGrammar in WebAssembly, as far as we use it. Its npm package says it is an ES module and is not: the file's text is run as the CommonJS
 * that it is. It is built without exceptions: what it refuses ends in an abort, after a line on its console, and the instance cannot be used any more.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'

export interface XGrammar {
  TokenizerInfo: {
    createTokenizerInfo(
      vocabulary: readonly string[],
      type: 'byte_level',
      prependsSpace: boolean,
      size: number,
      stopTokens: readonly number[],
    ): Promise<TokenizerInfo>
  }
  GrammarCompiler: { createGrammarCompiler(tokenizer: TokenizerInfo, caches: boolean): Promise<GrammarCompiler> }
  /** Its own step from a JSON schema to EBNF, before `compileGrammar`. */
  schemaToGrammar(schema: string, anyWhitespace: boolean, indent: number, separators: undefined, strict: boolean): Promise<string>
  openMatcher(grammar: CompiledGrammar): GrammarMatcher
  /** The numbers of a vector in WebAssembly memory; valid until the next call. */
  viewOf(vector: NativeVector): Int32Array
  heapBytes(): number
}

export interface TokenizerInfo {
  dispose(): void
}

export interface CompiledGrammar {
  dispose(): void
}

export interface GrammarCompiler {
  compileGrammar(ebnf: string): Promise<CompiledGrammar>
  compileStructuralTag(tag: object): Promise<CompiledGrammar>
}

export interface NativeVector {
  delete(): void
}

export interface GrammarMatcher {
  handle: { GetNextTokenBitmask(vocabularySize: number): NativeVector }
  acceptToken(token: number): boolean
  isTerminated(): boolean
  dispose(): void
}

/** What is changed in its text. */
const EXPORTS = 'exports.default = index;'
const IMPORT = "await import('module')"
/** Its own functions are asynchronous only because it may have to load itself first; a sampler cannot wait. */
const MORE_EXPORTS = [
  'exports.openMatcher = (grammar) => new GrammarMatcher(new binding.GrammarMatcher(grammar.handle, undefined, false, -1), 0);',
  'exports.schemaToGrammar = (...given) => Testings._jsonSchemaToEBNF(...given);',
  'exports.viewOf = (vector) => binding.vecIntToView(vector);',
  'exports.heapBytes = () => binding.HEAP8.length;',
].join(' ')

/** A fresh instance; `onMessage` gets what it writes to its console. Throws when the package is not the version that we know. */
export function loadXGrammar(onMessage: (line: string) => void): XGrammar {
  const require = createRequire(import.meta.url)
  const file = require.resolve('@mlc-ai/web-xgrammar')
  const text = readFileSync(file, 'utf8')
  if (!text.includes(EXPORTS) || !text.includes(IMPORT)) throw new Error(`${file} is not the version of XGrammar that we know`)
  const write = (...words: unknown[]): void => onMessage(words.join(' '))
  // A compiled function has no dynamic import of its own.
  const changed = text.replace(EXPORTS, `${EXPORTS} ${MORE_EXPORTS}`).replace(IMPORT, "require('module')")
  const run = compileFunction(changed, ['exports', 'require', 'module', '__filename', 'console'], { filename: file })
  const module = { exports: {} }
  run(module.exports, require, module, file, { log: write, warn: write, error: write, info: write, debug: write })
  return module.exports as XGrammar
}
