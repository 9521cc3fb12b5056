/** JSON of programs that may print warnings before it. */
export function parseJson(text: string): unknown {
  return tryParse(text) ?? tryParse(text.slice(Math.max(0, firstBracket(text))))
}

function firstBracket(text: string): number {
  return text.search(/^[[{]/m)
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
