/** The disk that holds bendi's files. */
import path from 'node:path'

import type { Hardware } from '../shared/api.ts'
import type { System } from './system.ts'

/** Of the nearest folder above `folder` that exists; zeros when nothing can be told. */
export async function probeDisk(system: System, folder: string): Promise<Hardware['disk']> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const status = await system.statfs(at).catch(() => undefined)
    if (status)
      return { path: folder, freeBytes: Math.floor(status.bavail * status.bsize), totalBytes: Math.floor(status.blocks * status.bsize) }
    if (at === path.dirname(at)) return { path: folder, freeBytes: 0, totalBytes: 0 }
  }
}
