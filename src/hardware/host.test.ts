import { describe, expect, test } from 'vitest'

import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import { cacheBytes, numaNodes, parseSize } from './cpu-topology.ts'
import { fileSystemOf } from './file-system.ts'
import { parseKernel, parseLimits, probeHost } from './host.ts'
import { thisSystem } from './system.ts'

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max stack size            8388608              unlimited            bytes
Max open files            1024                 1048576              files
Max locked memory         unlimited            unlimited            bytes
`

describe('the host', () => {
  test('a Docker container on Ubuntu', async () => {
    const files = {
      '/etc/os-release': 'PRETTY_NAME="Ubuntu 22.04.4 LTS"\nNAME="Ubuntu"\n',
      '/proc/version': 'Linux version 5.15.0-105-generic (buildd@lcy02) (gcc 11.4.0) #115-Ubuntu SMP\n',
      '/proc/1/cgroup': '0::/\n',
      '/.dockerenv': '',
      '/sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
      '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'powersave\n',
      '/proc/self/limits': LIMITS,
      '/sys/fs/selinux/enforce': '1',
    }
    expect(await probeHost(recordedSystem({ files, commands: { getconf: 'glibc 2.35\n' } }))).toEqual({
      name: 'Ubuntu 22.04.4 LTS',
      kernel: '5.15.0-105-generic',
      glibc: '2.35',
      container: 'docker',
      hugePages: 'madvise',
      governor: 'powersave',
      isSelinuxEnforcing: true,
      limits: { openFiles: 1024, lockedMemoryBytes: Number.POSITIVE_INFINITY, stackBytes: 8_388_608 },
    })
  })

  test.each([
    ['Linux version 5.15.167.4-microsoft-standard-WSL2 (root@x)', 2],
    ['Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)', 1],
    ['Linux version 6.8.0-45-generic (buildd@x)', undefined],
  ])('%s is WSL %s', (text, wsl) => {
    expect(parseKernel(text).wsl).toBe(wsl)
  })

  test('Kubernetes is told from plain containers by its service account', async () => {
    const files = { '/.dockerenv': '', '/var/run/secrets/kubernetes.io/serviceaccount/namespace': 'default' }
    expect((await probeHost(recordedSystem({ files }))).container).toBe('kubernetes')
  })

  test('nothing is known of other systems, and limits may be missing', async () => {
    expect(await probeHost(recordedSystem({ platform: 'win32' }))).toEqual({ limits: {} })
    expect(parseLimits('')).toEqual({})
    expect((await probeHost(thisSystem)).limits).toBeTypeOf('object')
  })
})

describe('file systems', () => {
  const MOUNTS = `22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
30 22 0:26 / /dev/shm rw,nosuid - tmpfs tmpfs rw
40 22 0:44 / /home rw,relatime shared:21 - nfs4 server:/home rw,vers=4.2
41 22 0:45 / /mnt/c rw,noatime - 9p drvfs rw,dirsync
42 22 0:46 / /mnt/my\\040disk rw - fuse.sshfs me@host:/ rw
43 40 0:47 / /home/data rw - xfs /dev/sdb1 rw
44 43 0:48 / /home/data rw - fuseblk /dev/sdc1 rw
`
  test.each([
    ['/var/lib/bendi', 'ext4', 'local'],
    ['/home/li/.local/share/bendi', 'nfs4', 'network'],
    ['/homework', 'ext4', 'local'],
    ['/mnt/c/Users/li', '9p', 'host'],
    ['/mnt/my disk/x', 'fuse.sshfs', 'network'],
    ['/dev/shm', 'tmpfs', 'memory'],
    ['/home/data/models', 'fuseblk', 'fuse'],
  ])('%s is on %s (%s)', (folder, type, kind) => {
    expect(fileSystemOf(MOUNTS, folder)).toEqual({ type, kind })
  })

  test('a container without a volume', () => {
    expect(fileSystemOf('1 0 0:1 / / rw - overlay overlay rw\n', '/root/x')).toEqual({ type: 'overlay', kind: 'overlay' })
    expect(fileSystemOf('', '/')).toBeUndefined()
  })
})

describe('caches and memory nodes', () => {
  const cpu = (index: number, shared: string): Record<string, string> => ({
    [`/sys/devices/system/cpu/cpu${index}/cache/index3/size`]: '32768K\n',
    [`/sys/devices/system/cpu/cpu${index}/cache/index3/shared_cpu_list`]: `${shared}\n`,
    [`/sys/devices/system/cpu/cpu${index}/cache/index3/level`]: '3\n',
  })

  test('each cache counts once, however many cores share it', async () => {
    const files = {
      ...cpu(0, '0-1'),
      ...cpu(1, '0-1'),
      ...cpu(2, '2-3'),
      ...cpu(3, '2-3'),
      '/sys/devices/system/node/node0/cpulist': '0-3',
    }
    expect(await cacheBytes(recordedSystem({ files }))).toBe(64 * 1024 ** 2)
    expect(await numaNodes(recordedSystem({ files }))).toBe(1)
    expect(await cacheBytes(recordedSystem())).toBe(0)
  })

  test('sizes', () => {
    expect(['512K', '24M\n', '1G', '100', 'x'].map(parseSize)).toEqual([524_288, 25_165_824, 1_073_741_824, 100, 0])
  })
})
