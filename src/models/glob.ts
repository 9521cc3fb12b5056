/** Patterns of `--include` and `--exclude`: `*` within a folder, `**` across folders, `?` one character. Pure, linear in time. */

/** A pattern without a slash is compared with the file's name, else with the whole path. Case does not matter. */
export function matchesGlob(path: string, pattern: string): boolean {
  const subject = pattern.includes('/') ? path : (path.split('/').at(-1) ?? path)
  return match(subject.toLowerCase(), tokensOf(pattern.toLowerCase()))
}

/** Those that some `include` (if there are any) and no `exclude` matches. */
export function selectFiles<T extends { path: string }>(files: readonly T[], include: readonly string[], exclude: readonly string[]): T[] {
  return files.filter(
    ({ path }) =>
      (include.length === 0 || include.some((pattern) => matchesGlob(path, pattern))) &&
      !exclude.some((pattern) => matchesGlob(path, pattern)),
  )
}

type Token = { type: 'text'; character: string } | { type: 'one' } | { type: 'many'; crossesFolders: boolean }

function tokensOf(pattern: string): Token[] {
  return (pattern.match(/\*+|[^*]/g) ?? []).map((part): Token => {
    if (part.startsWith('*')) return { type: 'many', crossesFolders: part.length > 1 }
    return part === '?' ? { type: 'one' } : { type: 'text', character: part }
  })
}

/** All positions of the pattern that the text so far can stand at: no backtracking, so no pattern is slow. */
function match(text: string, tokens: readonly Token[]): boolean {
  let places = closure(new Set([0]), tokens)
  for (const character of text) {
    const next = new Set<number>()
    for (const place of places) {
      const token = tokens[place]
      if (token?.type === 'many' && (token.crossesFolders || character !== '/')) next.add(place)
      if (token?.type === 'one' && character !== '/') next.add(place + 1)
      if (token?.type === 'text' && token.character === character) next.add(place + 1)
    }
    places = closure(next, tokens)
    if (places.size === 0) return false
  }
  return places.has(tokens.length)
}

/** A star may stand for nothing. */
function closure(places: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const place of places) if (tokens[place]?.type === 'many') places.add(place + 1)
  return places
}
