/** Sizes for people. GB is 10^9 bytes (as disks and hubs count); where 2^30 is meant we write GiB. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `98400000` → `98.4 MB`. Units of 10^3; one decimal below 100, whole numbers of bytes. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '? B'
  const size = Math.abs(bytes)
  let exponent = size < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(size) / 3))
  // 999 999 would be printed as "1000 kB".
  if (exponent < UNITS.length - 1 && Math.round(size / 1000 ** exponent) >= 1000) exponent += 1
  const value = bytes / 1000 ** exponent
  return `${exponent === 0 ? Math.round(value) : value.toFixed(Math.abs(value) >= 100 ? 0 : 1)} ${UNITS[exponent]}`
}
