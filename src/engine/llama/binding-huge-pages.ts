/** Ends what huge-pages.ts begins. Part of the binding. */
import type { LibraryHandle } from 'koffi'
import { declare } from './binding-functions.ts'

/** linux/prctl.h */
const PR_SET_THP_DISABLE = 41

/** For memory that this process allocates from now on; what it has stays as it is. Does nothing on other systems. */
export function hugePagesEnder(library: LibraryHandle): () => void {
  if (process.platform !== 'linux') return () => {}
  try {
    // The C library is searched with those that are linked against it.
    const prctl = declare<(option: number, ...values: [number, number, number, number]) => number>(library, 'prctl', 'int', [
      'int',
      ...Array.from({ length: 4 }, () => 'ulong'),
    ])
    return () => void prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
  } catch {
    return () => {}
  }
}
