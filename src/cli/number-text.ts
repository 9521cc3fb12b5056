/** Numbers and times for people. */

/** `1543714304` → `1.5 B`. */
export function countText(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(count >= 1e11 ? 0 : 1)} B`
  if (count >= 1e6) return `${Math.round(count / 1e6)} M`
  return String(count)
}

/** `2026-11-22 10:30`, local time. */
export function dateText(time: number): string {
  const date = new Date(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`
}
