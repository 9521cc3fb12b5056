/** All devices that plans can be made for by name. */
import type { Device } from './device.ts'
import { GEFORCE_DEVICES } from './geforce-devices.ts'
import { OTHER_DEVICES } from './other-devices.ts'
import { SERVER_DEVICES } from './server-devices.ts'

export const DEVICES: readonly Device[] = [...GEFORCE_DEVICES, ...SERVER_DEVICES, ...OTHER_DEVICES]

const MAKERS =
  /\b(nvidia|geforce|tesla|amd|radeon(?! (pro|ai))|instinct|intel\(r\)|intel|apple|huawei|ascend|moore ?threads|graphics|gpu|tm|r)\b/gi

/** Letters and digits alone, without makers and `RTX`, `GTX`, `RX`: `NVIDIA GeForce RTX 4090` is `4090`. */
export function deviceKey(text: string): string {
  return text
    .replace(/[()®™]/g, ' ')
    .replace(MAKERS, ' ')
    .toLowerCase()
    .replace(/\b(rtx|gtx|rx|mtt)\b|(?<![a-z])(rtx|gtx|rx)(?=\d)/g, ' ')
    .replace(/\b\d+ ?gi?b\b/g, ' ')
    .replace(/[^a-z0-9+]+/g, '')
}

/** What makes another card of the same number. */
const OTHER_MODEL = /^(\d|super|ti|laptop|mobile|maxq|xtx?$|gre|d$|dv\d|s$)/

const byKey = new Map(DEVICES.flatMap((device) => [device.name, ...device.aliases].map((name) => [deviceKey(name), device] as const)))

/** By any usual spelling, also as drivers report it. */
export function deviceNamed(text: string): Device | undefined {
  const key = deviceKey(text)
  const direct = byKey.get(key)
  if (direct) return direct
  // Drivers add forms: `A100-SXM4-80GB`, `H20-3e`.
  const begun = [...byKey].filter(([known]) => known.length >= 3 && key.startsWith(known) && !OTHER_MODEL.test(key.slice(known.length)))
  return begun.toSorted((a, b) => b[0].length - a[0].length)[0]?.[1]
}

/** Up to four names that are spelt nearly so. */
export function nearestDevices(text: string): string[] {
  const wanted = deviceKey(text)
  const scored = [...byKey].map(([key, device]) => ({ name: device.name, distance: distanceOf(wanted, key) }))
  const near = scored.filter(({ distance }) => distance <= Math.max(1, wanted.length / 2)).toSorted((a, b) => a.distance - b.distance)
  return [...new Set(near.map(({ name }) => name))].slice(0, 4)
}

function distanceOf(wanted: string, key: string): number {
  if (wanted.length >= 2 && (key.startsWith(wanted) || key.endsWith(wanted))) return 0.5
  let row = Array.from({ length: key.length + 1 }, (_, index) => index)
  for (let i = 1; i <= Math.min(wanted.length, 64); i += 1) {
    const next = [i]
    for (let j = 1; j <= key.length; j += 1) {
      next.push(Math.min((row[j - 1] ?? 0) + (wanted[i - 1] === key[j - 1] ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[key.length] ?? 0
}
