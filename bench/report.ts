/** One table and one JSON line a benchmark. */

export interface Row {
  what: string
  unit: string
  better: 'higher' | 'lower'
  /** Medians by server, ours first. */
  values: Record<string, number>
  /** Ours divided by the best of the others (or by what `against` names). */
  ratio: number
  against: string
  /** What the ratio must reach: at least for `higher`, at most for `lower`. */
  target?: number
}

export function reached({ better, ratio, target }: Row): boolean | undefined {
  if (target === undefined) return undefined
  return better === 'higher' ? ratio >= target : ratio <= target
}

export function printReport(
  name: string,
  setting: Record<string, string | number>,
  rows: readonly Row[],
  print: (line: string) => void,
): void {
  const servers = [...new Set(rows.flatMap((row) => Object.keys(row.values)))]
  const lines = rows.map((row) => [
    row.what,
    ...servers.map((server) => (server in row.values ? `${format(row.values[server] ?? Number.NaN)} ${row.unit}` : '')),
    `${format(row.ratio)} × ${row.against}`,
    row.target === undefined ? '' : `${row.better === 'higher' ? '≥' : '≤'} ${format(row.target)}`,
    { true: 'reached', false: 'MISSED', undefined: '' }[String(reached(row)) as 'true' | 'false' | 'undefined'],
  ])
  print(
    `\n### ${name} (${Object.entries(setting)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')})\n`,
  )
  for (const line of markdownTable(['what', ...servers, 'ratio', 'target', ''], lines)) print(line)
  print(`\n${JSON.stringify({ bench: name, ...setting, rows: rows.map((row) => ({ ...row, reached: reached(row) })) })}`)
}

function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...lines.map(line)]
}

/** Three significant digits. */
function format(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) >= 1000 ? Math.round(value).toString() : String(Number(value.toPrecision(3)))
}
