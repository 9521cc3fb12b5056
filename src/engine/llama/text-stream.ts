/**
 * Token bytes → text that may leave. Half a character waits for its other half; what may become a stop string waits until it is
 * one (and then never leaves) or cannot be one any more. Held text is shorter than the longest stop string.
 */
import type { TokenLogprob } from '../../shared/generate.ts'

export interface TextPiece {
  text: string
  /** Of the tokens whose text has wholly left with this piece. */
  logprobs: TokenLogprob[]
  /** The stop string that ended the text. */
  stopped?: string
}

export class TextStream {
  readonly #stops: readonly string[]
  readonly #decoder = new TextDecoder('utf-8')
  #held = ''
  #decodedLength = 0
  #sentLength = 0
  #logprobs: { logprob: TokenLogprob; end: number }[] = []

  constructor(stops: readonly string[]) {
    this.#stops = stops
  }

  push(bytes: Uint8Array, logprob?: TokenLogprob): TextPiece {
    const text = this.#decoder.decode(bytes, { stream: true })
    this.#decodedLength += text.length
    if (logprob) this.#logprobs.push({ logprob, end: this.#decodedLength })
    if (this.#stops.length === 0) return this.#send(text)
    this.#held += text
    const hit = this.#findStop()
    if (hit) return { ...this.#sendHeld(hit.at), stopped: hit.stop }
    return this.#sendHeld(this.#held.length - this.#possibleStopLength())
  }

  /** The rest, when no more tokens come. An unfinished character becomes U+FFFD. */
  end(): TextPiece {
    this.#held += this.#decoder.decode()
    const piece = this.#sendHeld(this.#held.length)
    const logprobs = [...piece.logprobs, ...this.#logprobs.map((entry) => entry.logprob)]
    this.#logprobs = []
    return { ...piece, logprobs }
  }

  /** The earliest stop string; of two at the same place the longer. */
  #findStop(): { at: number; stop: string } | undefined {
    let best: { at: number; stop: string } | undefined
    for (const stop of this.#stops) {
      const at = this.#held.indexOf(stop)
      if (at < 0) continue
      if (!best || at < best.at || (at === best.at && stop.length > best.stop.length)) best = { at, stop }
    }
    return best
  }

  /** Length of the longest end of the held text that begins some stop string. */
  #possibleStopLength(): number {
    let longest = 0
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > longest; length--) {
        if (this.#held.endsWith(stop.slice(0, length))) longest = length
      }
    }
    return longest
  }

  #sendHeld(length: number): TextPiece {
    const text = this.#held.slice(0, length)
    this.#held = this.#held.slice(length)
    return this.#send(text)
  }

  #send(text: string): TextPiece {
    this.#sentLength += text.length
    if (this.#logprobs.length === 0) return { text, logprobs: [] }
    const count = this.#logprobs.findIndex((entry) => entry.end > this.#sentLength)
    const logprobs = this.#logprobs.splice(0, count < 0 ? this.#logprobs.length : count)
    return { text, logprobs: logprobs.map((entry) => entry.logprob) }
  }
}
