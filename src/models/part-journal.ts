/** What a partial download is a part of. Written beside it, so that after kill -9 the next run knows whether to go on with it. */
import { readFile } from 'node:fs/promises'

import { z } from 'zod'

import { writeFileAtomic } from '../base/atomic-file.ts'

const PartJournalSchema = z.object({
  /** Where it came from. */
  url: z.string().optional(),
  /** As published. */
  sha256: z.string().optional(),
  /** Strong ETags only. */
  etag: z.string().optional(),
  /** 0 = unknown. */
  totalBytes: z.number().int().nonnegative(),
  /** Synced to the disk: even a power failure keeps them. */
  durableBytes: z.number().int().nonnegative(),
})
export type PartJournal = z.infer<typeof PartJournalSchema>

export function partFile(target: string): string {
  return `${target}.part`
}

export function journalFile(target: string): string {
  return `${target}.part.json`
}

/** Undefined when there is none that can be read. */
export async function readJournal(target: string): Promise<PartJournal | undefined> {
  try {
    const parsed = PartJournalSchema.safeParse(JSON.parse(await readFile(journalFile(target), 'utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

export async function writeJournal(target: string, journal: PartJournal): Promise<void> {
  await writeFileAtomic(journalFile(target), JSON.stringify(journal), { mode: 0o600 })
}
