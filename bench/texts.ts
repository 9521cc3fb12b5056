/** Texts for measuring: words from a small vocabulary, so that no two texts share more than chance unless they are meant to. */

const vocabulary =
  'alpha beta gamma delta system policy rule answer user must never always respond short long table value engine model river stone glass paper light'.split(
    ' ',
  )

/** `count` words; the same seed gives the same text, another seed another one from its first word on. */
export function words(count: number, seed: number): string {
  let state = (seed + 1) * 2_654_435_761
  const next = (): number => {
    // xorshift32
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const text = Array.from({ length: count }, () => vocabulary[next() % vocabulary.length])
  return `Text ${seed}: ${text.join(' ')}.`
}
