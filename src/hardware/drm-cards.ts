/** Graphics cards as the Linux kernel lists them, for vendors whose tool is not installed. */
import path from 'node:path'

import type { System } from './system.ts'

const FOLDER = '/sys/class/drm'

export interface DrmCard {
  index: number
  /** Those of the asked files that are there, trimmed. */
  files: Record<string, string>
}

/** `vendor` as in the file of that name, e.g. `0x8086`. `names` are files below the card's device folder. */
export async function drmCards(system: System, vendor: string, names: readonly string[]): Promise<DrmCard[]> {
  const cards = (await system.readFolder(FOLDER)).filter((name) => /^card\d+$/.test(name)).toSorted(byNumber)
  const read = await Promise.all(cards.map((card) => readCard(system, path.posix.join(FOLDER, card, 'device'), ['vendor', ...names])))
  return read.filter((files) => files['vendor'] === vendor).map((files, index) => ({ index, files }))
}

async function readCard(system: System, folder: string, names: readonly string[]): Promise<Record<string, string>> {
  const texts = await Promise.all(names.map((name) => system.readText(path.posix.join(folder, name))))
  return Object.fromEntries(names.flatMap((name, at) => (texts[at] === undefined ? [] : [[name, texts[at].trim()]])))
}

function byNumber(a: string, b: string): number {
  return Number(a.slice(4)) - Number(b.slice(4))
}
