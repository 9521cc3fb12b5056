/** Tells a client that sends its body drop by drop from one whose link is slow. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** At least `bytes` of a body come in every `windowMs`: an upload may then take as long as it needs. */
export interface BodyPace {
  windowMs: number
  bytes: number
}

/**
 * Calls `tooSlow` once, when a window brings too little. Looks at the connection, not at the stream, so that it never starts to flow by that. A body
 * that waits for us to read it is not the client's fault.
 */
export function watchBody(incoming: IncomingMessage, outgoing: ServerResponse, { windowMs, bytes }: BodyPace, tooSlow: () => void): void {
  if (!hasBody(incoming)) return
  let before = incoming.socket.bytesRead
  const timer = setInterval(() => {
    if (incoming.complete) return clearInterval(timer)
    const now = incoming.socket.bytesRead
    const isSlow = now - before < bytes && incoming.readableLength === 0
    before = now
    if (!isSlow) return
    clearInterval(timer)
    tooSlow()
  }, windowMs)
  timer.unref()
  outgoing.once('close', () => clearInterval(timer))
}

/** RFC 9112, section 6.3. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
