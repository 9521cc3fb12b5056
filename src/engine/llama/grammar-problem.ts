/** What is wrong with a GBNF grammar before libllama sees it: what it would not survive, not say, or not finish in time. Pure. */

const MAX_BYTES = 1 << 18
const MAX_DEPTH = 256
/**
 * Symbols of the grammar when every counted repetition is written out. libllama writes them out, and walks all that may come next for
 * every token of the vocabulary.
 */
const MAX_SYMBOLS = 20_000
/**
 * Optional symbols in a row: each is one more state that a grammar may be in at the same time. Measured: with 100 of them libllama needs
 * five seconds for one token.
 */
const MAX_OPTIONAL = 24

/** Undefined when there is none. */
export function findGrammarProblem(gbnf: string): string | undefined {
  if (gbnf.trim() === '') return 'it is empty'
  if (gbnf.includes('\0')) return 'it holds a NUL character'
  if (Buffer.byteLength(gbnf) > MAX_BYTES) return `it is larger than ${MAX_BYTES} bytes`
  const lexemes = readLexemes(gbnf)
  if (depthOf(lexemes) > MAX_DEPTH) return `it nests more than ${MAX_DEPTH} brackets`
  const rules = splitRules(lexemes)
  const sizes = new SizeOf(rules)
  for (const name of rules.keys()) {
    const { symbols, optional } = sizes.rule(name)
    if (symbols > MAX_SYMBOLS) return `it has more than ${MAX_SYMBOLS} symbols when its repetitions are written out`
    if (optional > MAX_OPTIONAL) return `more than ${MAX_OPTIONAL} symbols in a row are optional`
  }
  return undefined
}

type Lexeme =
  /** A literal, a set of characters, a dot. */
  | { type: 'terminal' }
  | { type: 'name'; name: string }
  | { type: 'defines' }
  | { type: 'or' }
  | { type: 'open' }
  | { type: 'close' }
  | { type: 'repeat'; least: number; most: number }

/** Comments, literals, sets, names and marks of GBNF. */
export const GBNF_LEXEME: RegExp =
  /#[^\n]*|"(?:\\.|[^"\\])*"?|\[(?:\\.|[^\]\\])*\]?|::=|\{\s*(\d*)\s*(,?)\s*(\d*)\s*\}|<\[?[^>\n]*>|([A-Za-z0-9_-]+)|[()|*+?.]/gs

function readLexemes(gbnf: string): Lexeme[] {
  return [...gbnf.matchAll(GBNF_LEXEME)].flatMap((match): Lexeme[] => {
    const [text, least, comma, most, name] = match
    if (name !== undefined) return [{ type: 'name', name }]
    if (text.startsWith('#')) return []
    if (text === '::=') return [{ type: 'defines' }]
    if (text === '|') return [{ type: 'or' }]
    if (text === '(') return [{ type: 'open' }]
    if (text === ')') return [{ type: 'close' }]
    if (text === '?') return [{ type: 'repeat', least: 0, most: 1 }]
    if (text === '*' || text === '+') return [{ type: 'repeat', least: text === '+' ? 1 : 0, most: 1 }]
    if (text.startsWith('{')) {
      const from = Number(least)
      return [{ type: 'repeat', least: from, most: Math.max(from, comma === '' ? from : Number(most)) }]
    }
    return [{ type: 'terminal' }]
  })
}

function depthOf(lexemes: readonly Lexeme[]): number {
  let [depth, deepest] = [0, 0]
  for (const { type } of lexemes) {
    if (type === 'open') deepest = Math.max(deepest, ++depth)
    else if (type === 'close') depth--
  }
  return deepest
}

function splitRules(lexemes: readonly Lexeme[]): Map<string, Lexeme[]> {
  const rules = new Map<string, Lexeme[]>()
  let body: Lexeme[] = []
  lexemes.forEach((lexeme, index) => {
    if (lexeme.type === 'defines') return
    if (lexeme.type === 'name' && lexemes[index + 1]?.type === 'defines') rules.set(lexeme.name, (body = []))
    else body.push(lexeme)
  })
  return rules
}

interface Size {
  symbols: number
  /** Most optional symbols in a row, counting those that counted repetitions write out. */
  optional: number
}

const ONE: Size = { symbols: 1, optional: 0 }

class SizeOf {
  readonly #rules: ReadonlyMap<string, readonly Lexeme[]>
  readonly #known = new Map<string, Size>()

  constructor(rules: ReadonlyMap<string, readonly Lexeme[]>) {
    this.#rules = rules
  }

  rule(name: string): Size {
    const known = this.#known.get(name)
    if (known) return known
    // Within itself a rule is one symbol: libllama does not write recursion out.
    this.#known.set(name, ONE)
    const size = this.#body(this.#rules.get(name) ?? [])
    this.#known.set(name, size)
    return size
  }

  #body(lexemes: readonly Lexeme[]): Size {
    const groups: Size[][] = [[]]
    for (const lexeme of lexemes) {
      const group = groups.at(-1)
      if (!group) return ONE
      switch (lexeme.type) {
        case 'terminal':
          group.push(ONE)
          break
        case 'name':
          group.push(this.rule(lexeme.name))
          break
        case 'open':
          groups.push([])
          break
        case 'close':
          if (groups.length > 1) groups.at(-2)?.push(total(groups.pop() ?? []))
          break
        case 'repeat':
          group.push(repeated(group.pop() ?? ONE, lexeme))
          break
        case 'or':
        case 'defines':
          break
      }
    }
    return total(groups.flat())
  }
}

function total(sizes: readonly Size[]): Size {
  return {
    symbols: sizes.reduce((sum, size) => sum + size.symbols, 0),
    optional: sizes.reduce((sum, size) => sum + size.optional, 0),
  }
}

function repeated({ symbols, optional }: Size, { least, most }: { least: number; most: number }): Size {
  const count = Math.max(1, most)
  return { symbols: symbols * count, optional: Math.max(optional * count, most - least) }
}
