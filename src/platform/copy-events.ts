/** A task that tells its progress by calls, as a stream of events. */
import { deferred } from '../base/async.ts'
import type { CopyOptions } from '../models/copy-files.ts'
import type { Copy } from '../shared/api.ts'

/** Slow readers skip states, but never the last, which is made of what the task answers. Throws what the task throws. Leaving the loop ends the task. */
export async function* copyEvents(
  signal: AbortSignal,
  work: (options: CopyOptions & { signal: AbortSignal }) => Promise<Pick<Copy, 'models' | 'folder'>>,
): AsyncGenerator<Copy, void, undefined> {
  const left = new AbortController()
  let latest: Copy = { state: 'copying', doneBytes: 0, totalBytes: 0, bytesPerSecond: 0 }
  let isNew = false
  let changed = deferred<void>()
  let isOver = false
  const tell = (): void => {
    changed.resolve()
    changed = deferred()
  }
  const task = work({
    signal: AbortSignal.any([signal, left.signal]),
    onProgress: (progress) => {
      latest = progress
      isNew = true
      tell()
    },
  }).finally(() => {
    isOver = true
    tell()
  })
  task.catch(() => {})
  try {
    while (!isOver) {
      const next = changed.promise
      if (isNew) {
        isNew = false
        yield latest
      } else await next
    }
    const result = await task
    yield { ...latest, state: 'done', bytesPerSecond: 0, doneBytes: latest.totalBytes, ...result }
  } finally {
    left.abort(new Error('nobody waits for it any more'))
    await task.catch(() => {})
  }
}
