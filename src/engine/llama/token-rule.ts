/** What may come next in one sequence. Rules keep a state of their own that moves on with every token that is accepted. */
export interface TokenRule {
  /** The token that must come next, whatever the model says. */
  forced(): number | undefined
  /** Whether the token may come next; the rule moves on with it if so. A refusal may be followed by a forced token. */
  tryAccept(token: number): boolean
  /** Sets the logits of all tokens that may not come next to −∞. */
  mask(logits: Float32Array): void
  close(): void
}

/** All of the rules at once; those that keep no history first. */
export function joinRules(rules: readonly TokenRule[]): TokenRule | undefined {
  const [first, ...others] = rules
  if (!first || others.length === 0) return first
  return {
    forced: () => rules.map((rule) => rule.forced()).find((token) => token !== undefined),
    tryAccept: (token) => rules.every((rule) => rule.tryAccept(token)),
    mask: (logits) => rules.forEach((rule) => rule.mask(logits)),
    close: () => rules.forEach((rule) => rule.close()),
  }
}
