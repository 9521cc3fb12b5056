/** What models get wrong inside of JSON and what a general repair would lose: backslashes that escape nothing, and Chinese punctuation. */

/** A path or a pattern: `C:\Users`, `\d+`. Repairs drop such a backslash, and change what was meant. `\'` is left to them. */
export function withWholeEscapes(text: string): string {
  return walk(text, {
    outside: (character) => character,
    escape: (next, index) => /["\\/bfnrt']/.test(next) || (next === 'u' && /^u[0-9a-fA-F]{4}/.test(text.slice(index, index + 5))),
  })
}

const ASCII: Readonly<Record<string, string>> = {
  '：': ':',
  '，': ',',
  '｛': '{',
  '｝': '}',
  '［': '[',
  '］': ']',
  '“': '"',
  '”': '"',
  '＂': '"',
}

/** `{“city”：“北京”，"a"：1}`: outside of texts the characters that an input method writes become those that JSON knows. */
export function withAsciiPunctuation(text: string): string {
  return walk(text, { outside: (character) => ASCII[character] ?? character, escape: () => true })
}

/** Which characters end a text that this one begins. */
const QUOTES: Readonly<Record<string, string>> = { '"': '"', "'": "'", '“': '”"', '”': '”"', '＂': '＂"' }

interface Walk {
  outside(character: string): string
  /** Whether a backslash before this character escapes it; `index` is the character's. */
  escape(next: string, index: number): boolean
}

function walk(text: string, { outside, escape }: Walk): string {
  let result = ''
  let ends = ''
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    if (ends === '') {
      ends = QUOTES[character] ?? ''
      result += outside(character)
    } else if (ends.includes(character)) {
      ends = ''
      result += outside(character)
    } else if (character !== '\\') {
      result += character
    } else if (escape(text.charAt(index + 1), index + 1)) {
      result += character + text.charAt(++index)
    } else {
      result += '\\\\'
    }
  }
  return result
}
