/** Byte ranges of a file: half-open, sorted, never touching. Pure. */

export interface Range {
  start: number
  /** Exclusive. */
  end: number
}

export function rangeBytes(ranges: readonly Range[]): number {
  return ranges.reduce((total, range) => total + range.end - range.start, 0)
}

/** `ranges` with one more; neighbours melt together. */
export function addRange(ranges: readonly Range[], added: Range): Range[] {
  if (added.end <= added.start) return [...ranges]
  const from = firstEndingAtOrAfter(ranges, added.start)
  let to = from
  let { start, end } = added
  for (let range = ranges[to]; range !== undefined && range.start <= end; range = ranges[to]) {
    start = Math.min(start, range.start)
    end = Math.max(end, range.end)
    to += 1
  }
  return [...ranges.slice(0, from), { start, end }, ...ranges.slice(to)]
}

/** What is in `ranges` and not in `removed`. */
export function subtractRange(ranges: readonly Range[], removed: Range): Range[] {
  if (removed.end <= removed.start) return [...ranges]
  return ranges.flatMap((range) =>
    [
      { start: range.start, end: Math.min(range.end, removed.start) },
      { start: Math.max(range.start, removed.end), end: range.end },
    ].filter(({ start, end }) => start < end),
  )
}

/** What of `whole` is not in `ranges`. */
export function missingRanges(ranges: readonly Range[], whole: Range): Range[] {
  const gaps: Range[] = []
  let at = whole.start
  for (const range of ranges) {
    if (range.start >= whole.end) break
    if (range.start > at) gaps.push({ start: at, end: range.start })
    at = Math.max(at, range.end)
  }
  if (at < whole.end) gaps.push({ start: at, end: whole.end })
  return gaps
}

export function overlap(a: Range, b: Range): Range | undefined {
  const start = Math.max(a.start, b.start)
  const end = Math.min(a.end, b.end)
  return start < end ? { start, end } : undefined
}

/** How far the file is whole from its beginning. */
export function wholeUntil(ranges: readonly Range[]): number {
  const [first] = ranges
  return first?.start === 0 ? first.end : 0
}

/** Index of the first range that ends at or after `at` (binary search). */
function firstEndingAtOrAfter(ranges: readonly Range[], at: number): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ranges[middle]?.end ?? 0) < at) low = middle + 1
    else high = middle
  }
  return low
}
