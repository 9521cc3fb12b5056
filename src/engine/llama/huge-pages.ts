/**
 * Huge pages (2 MiB instead of 4 KiB) for the weights, which every token reads whole. The processor then finds its way through them
 * with far fewer look-ups: 3 to 5 % of the speed of one answer (docs/benchmarks.md).
 *
 * Linux gives them to memory that a program allocates, not to a file that it maps; and in its usual setting (`madvise`) only where the
 * program asks, which glibc does for us (glibc manual, "Memory Allocation Tunables"). After the weights it ends (`endHugePages` of the
 * binding): a KV cache of 1.5 GB took 2.7 s instead of 1.1 s to be cleared in a virtual machine, and was read no faster.
 */
import { readFile, stat } from 'node:fs/promises'

const SETTING = '/sys/kernel/mm/transparent_hugepage/enabled'
const TUNABLE = 'glibc.malloc.hugetlb'
/** Reading takes about 0.4 s a GiB that is in the kernel's cache, mapping nothing: larger models had better come back sooner. */
const MOST_READ_BYTES = 4 * 2 ** 30

type Environment = Readonly<Record<string, string | undefined>>

/** The variables with which a process asks for huge pages. A wish of the user's own about them stays; other systems ignore it. */
export function withHugePages(environment: Environment): Environment {
  const own = environment['GLIBC_TUNABLES']
  if (own?.includes(TUNABLE)) return environment
  return { ...environment, GLIBC_TUNABLES: [...(own ? [own] : []), `${TUNABLE}=1`].join(':') }
}

/** Whether weights in this file are better read into huge pages than mapped; `setting` is the kernel's file. */
export async function prefersReading(file: string, setting: string = SETTING): Promise<boolean> {
  const allowed = await readFile(setting, 'utf8').catch(() => '[never]')
  const bytes = await stat(file).then(
    ({ size }) => size,
    () => 0,
  )
  return !allowed.includes('[never]') && bytes <= MOST_READ_BYTES
}
