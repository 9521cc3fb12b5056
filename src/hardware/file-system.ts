/** Which file system a folder lies on, by /proc/self/mountinfo. */
import path from 'node:path'

import type { Hardware } from '../shared/hardware.ts'

type DiskKind = NonNullable<Hardware['disk']['kind']>

const KINDS: readonly (readonly [RegExp, DiskKind])[] = [
  [
    /^(nfs\d?|cifs|smb\d?|smbfs|afs|ceph|lustre|gpfs|beegfs|glusterfs|fuse\.(glusterfs|ceph|sshfs|s3fs|juicefs|goofys|gcsfuse|rclone))$/,
    'network',
  ],
  // 9p is how WSL and QEMU show the host's folders, drvfs is WSL 1's; Docker Desktop uses the others.
  [/^(9p|drvfs|virtiofs|vboxsf|vmhgfs|fuse\.vmhgfs-fuse|prl_fs|fuse\.grpcfuse|fakeowner)$/, 'host'],
  [/^fuse(blk|\..*)?$/, 'fuse'],
  [/^(tmpfs|ramfs)$/, 'memory'],
  [/^overlay(fs)?$/, 'overlay'],
]

/** The mount that holds `folder` is the longest one above it. Undefined when the text is no mountinfo. */
export function fileSystemOf(mountinfo: string, folder: string): { type: string; kind: DiskKind } | undefined {
  let best: { point: string; type: string } | undefined
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ')
    const point = unescapeOctal(before?.split(' ')[4] ?? '')
    const type = after?.split(' ')[0]
    // Later mounts cover earlier ones at the same place.
    if (type && isAbove(point, folder) && point.length >= (best?.point.length ?? 0)) best = { point, type }
  }
  return best && { type: best.type, kind: KINDS.find(([types]) => types.test(best.type))?.[1] ?? 'local' }
}

function isAbove(point: string, folder: string): boolean {
  if (point === '') return false
  const relative = path.posix.relative(point, folder)
  return relative === '' || (!relative.startsWith('../') && relative !== '..')
}

/** Spaces stand there as `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 8)))
}
