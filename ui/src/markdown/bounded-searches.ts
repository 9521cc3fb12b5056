/**
 * micromark looks for the end of every `<!--` and of every run of backticks to the end of the paragraph, so a text
 * full of beginnings takes time with the square of its length: a page that stands still for seconds.
 * Here a paragraph has a budget of characters that are read in vain; when it is used up, later beginnings are text.
 */
import { codeText, htmlText } from 'micromark-core-commonmark'
import type { Construct, Extension, TokenizeContext } from 'micromark-util-types'

/** Many times what any honest paragraph needs, and read within some 10 ms. */
const READ_IN_VAIN_MAX = 50_000

export const boundedSearches: Extension = {
  text: { ['<'.charCodeAt(0)]: bounded(htmlText), ['`'.charCodeAt(0)]: bounded(codeText) },
  disable: { null: ['htmlText', 'codeText'] },
}

function bounded(construct: Construct): Construct {
  /** Characters, by paragraph. */
  const readInVain = new WeakMap<TokenizeContext, number>()
  return {
    ...construct,
    // The original names are those that are disabled.
    name: `bounded${construct.name}`,
    tokenize(effects, ok, nok) {
      return (first) => {
        const before = readInVain.get(this) ?? 0
        if (before > READ_IN_VAIN_MAX) return nok(first)
        const start = this.now().offset
        const noEnd: typeof nok = (code) => {
          readInVain.set(this, before + this.now().offset - start)
          return nok(code)
        }
        return construct.tokenize.call(this, effects, ok, noEnd)(first)
      }
    },
  }
}
