/** Package names in the first column of the tables below a heading of docs/dependencies.md. */
export function documentedPackages(markdown: string, heading: string): string[] {
  const lines = markdown.split('\n')
  const start = lines.findIndex((line) => line.startsWith('## ') && line.includes(heading))
  if (start < 0) return []
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('## '))
  const section = lines.slice(start + 1, length < 0 ? undefined : start + 1 + length)
  return section.flatMap((line) => {
    const [cell] = /^\|[^|]+\|/.exec(line) ?? []
    return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
  })
}
