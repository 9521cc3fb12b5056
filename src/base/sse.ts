/** Server-Sent Events, both ways (WHATWG HTML, section 9.2). */

export interface SseEvent {
  event?: string
  id?: string
  data: string
}

/** One event on the wire. Line breaks in the data become several `data:` lines. */
export function formatSseEvent({ event, id, data }: SseEvent): string {
  const head = `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}`
  return `${head}${data
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`
}

/** A comment: keeps proxies awake, and clients ignore it. */
export function formatSseComment(text: string): string {
  return `: ${text.replace(/[\r\n]+/g, ' ')}\n\n`
}
