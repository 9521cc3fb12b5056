/** Joins typed lines to one entry: between `"""` and `"""`, or while a line ends with a backslash. */
export interface LineJoiner {
  /** The whole entry, or undefined while it goes on. */
  push(line: string): string | undefined
  isOpen(): boolean
  reset(): void
}

const FENCE = '"""'

export function createLineJoiner(): LineJoiner {
  let lines: string[] = []
  let isFenced = false
  const finish = (): string => {
    const entry = lines.join('\n')
    lines = []
    isFenced = false
    return entry
  }
  const pushFenced = (line: string): string | undefined => {
    const end = line.indexOf(FENCE)
    lines.push(end < 0 ? line : line.slice(0, end))
    if (end < 0) return undefined
    // A closing fence on a line of its own adds no empty line.
    if (end === 0) lines.pop()
    return finish()
  }
  return {
    push(line) {
      if (isFenced) return pushFenced(line)
      if (lines.length === 0 && line.trimStart().startsWith(FENCE)) {
        isFenced = true
        const rest = line.trimStart().slice(FENCE.length)
        return rest === '' ? undefined : pushFenced(rest)
      }
      const goesOn = line.endsWith('\\')
      lines.push(goesOn ? line.slice(0, -1) : line)
      return goesOn ? undefined : finish()
    },
    isOpen: () => isFenced || lines.length > 0,
    reset: () => void finish(),
  }
}
