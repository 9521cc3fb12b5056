/** Shows how a move, export or import goes, until it ends. */
import type { Follow } from './backend.ts'
import type { CommandContext } from './command.ts'
import { createProgress } from './progress.ts'

/** Work that is over at once shows nothing. Throws what `work` throws. */
export async function followCopy<T>(
  { output, io, signal }: Pick<CommandContext, 'output' | 'io' | 'signal'>,
  work: (follow: Follow) => Promise<T>,
): Promise<T> {
  const progress = createProgress({ output, columns: io.columns })
  try {
    return await work({
      signal,
      onProgress: (copy) => {
        if (copy.totalBytes > 0 && copy.state !== 'done') progress.show(copy)
      },
    })
  } finally {
    progress.end()
  }
}
