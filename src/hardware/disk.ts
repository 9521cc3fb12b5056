/** The disk that holds bendi's files. */
import path from 'node:path'

import type { Hardware } from '../shared/hardware.ts'
import { fileSystemOf } from './file-system.ts'
import { PROBE_TIMEOUT_MS, within } from './system.ts'
import type { System } from './system.ts'

/** Of the nearest folder above `folder` that exists; zeros when nothing can be told, or a network folder does not answer. */
export async function probeDisk(system: System, folder: string): Promise<Hardware['disk']> {
  const nothing = { path: folder, freeBytes: 0, totalBytes: 0 }
  const [space, mounts] = await Promise.all([
    within(spaceOf(system, folder), PROBE_TIMEOUT_MS, nothing),
    system.platform === 'linux' ? system.readText('/proc/self/mountinfo') : undefined,
  ])
  return { ...space, ...fileSystemOf(mounts ?? '', path.resolve(folder)) }
}

async function spaceOf(system: System, folder: string): Promise<Hardware['disk']> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const status = await system.statfs(at).catch(() => undefined)
    if (status)
      return { path: folder, freeBytes: Math.floor(status.bavail * status.bsize), totalBytes: Math.floor(status.blocks * status.bsize) }
    if (at === path.dirname(at)) return { path: folder, freeBytes: 0, totalBytes: 0 }
  }
}
