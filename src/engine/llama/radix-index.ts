/**
 * A compressed radix tree over token ids. It answers "who already has the longest part of this prompt?".
 *
 *   root ── [1 2 3 4] ── [5 6]    ← slot 0 holds 1 2 3 4 5 6
 *                   └─── [9]      ← slot 1 holds 1 2 3 4 9; the first node is held by both
 *
 * Invariants: a holder's path ends at the end of a node; every node but the root has a holder; siblings differ in their first
 * token. So `tokenCount`, the sum of the nodes' lengths, is what a store that shares prefixes really needs for all holders.
 */

interface Node<Holder> {
  tokens: number[]
  /** Depth of tokens[0]. */
  start: number
  parent: Node<Holder> | undefined
  children: Map<number, Node<Holder>>
  /** All whose path goes through the whole of this node. */
  holders: Set<Holder>
}

export interface PrefixMatch<Holder> {
  /** Tokens in common, from the first. */
  length: number
  /** Those that share all of `length`; empty only when `length` is 0. */
  holders: ReadonlySet<Holder>
}

export class RadixIndex<Holder> {
  #root: Node<Holder> = createNode<Holder>([], 0, undefined)
  #ends = new Map<Holder, Node<Holder>>()
  #tokenCount = 0

  /** Tokens in the tree, shared ones counted once. */
  get tokenCount(): number {
    return this.#tokenCount
  }

  get size(): number {
    return this.#ends.size
  }

  has(holder: Holder): boolean {
    return this.#ends.has(holder)
  }

  /** How many tokens a holder has; 0 for an unknown one. */
  lengthOf(holder: Holder): number {
    const end = this.#ends.get(holder)
    return end ? end.start + end.tokens.length : 0
  }

  tokensOf(holder: Holder): number[] {
    const parts: number[][] = []
    for (let node = this.#ends.get(holder); node; node = node.parent) parts.push(node.tokens)
    return parts.toReversed().flat()
  }

  /** Adds `tokens` behind what the holder has. A new holder begins at the root. */
  extend(holder: Holder, tokens: readonly number[]): void {
    let node = this.#ends.get(holder) ?? this.#root
    let at = 0
    while (at < tokens.length) {
      const child = node.children.get(tokens[at] ?? -1)
      if (!child) {
        node = this.#append(node, tokens.slice(at), holder)
        break
      }
      const common = commonLength(child.tokens, tokens, at, tokens.length)
      if (common < child.tokens.length) this.#split(child, common)
      child.holders.add(holder)
      at += common
      node = child
    }
    if (node !== this.#root) this.#ends.set(holder, node)
  }

  /** Keeps only the first `length` tokens of a holder. */
  truncate(holder: Holder, length: number): void {
    let node = this.#ends.get(holder)
    if (!node || this.lengthOf(holder) <= length) return
    while (node.parent && node.start >= length) node = this.#leave(node, holder)
    if (node.parent && node.start + node.tokens.length > length) {
      const lower = this.#split(node, length - node.start)
      this.#leave(lower, holder)
    }
    if (length === 0) this.#ends.delete(holder)
    else this.#ends.set(holder, node)
  }

  delete(holder: Holder): void {
    this.truncate(holder, 0)
    this.#ends.delete(holder)
  }

  /** The longest common prefix with anything in the tree. */
  match(tokens: readonly number[], limit: number = tokens.length): PrefixMatch<Holder> {
    let node = this.#root
    let length = 0
    while (length < limit) {
      const child = node.children.get(tokens[length] ?? -1)
      if (!child) break
      const common = commonLength(child.tokens, tokens, length, limit)
      length += common
      node = child
      if (common < child.tokens.length) break
    }
    return { length, holders: node.holders }
  }

  /** Tokens that nobody else has: what deleting this holder would free. */
  uniqueTokens(holder: Holder): number {
    let count = 0
    for (let node = this.#ends.get(holder); node?.parent && node.holders.size === 1; node = node.parent) count += node.tokens.length
    return count
  }

  /** Throws when an invariant is broken; for tests and the idle check. */
  verify(): void {
    let count = 0
    const visit = (node: Node<Holder>): void => {
      if (node.parent) {
        count += node.tokens.length
        if (node.tokens.length === 0) throw new Error('radix index: an empty node')
        if (node.holders.size === 0) throw new Error('radix index: a node without a holder')
      }
      for (const [first, child] of node.children) {
        if (child.tokens[0] !== first || child.parent !== node) throw new Error('radix index: a child in the wrong place')
        if (child.start !== node.start + node.tokens.length) throw new Error('radix index: a wrong depth')
        visit(child)
      }
    }
    visit(this.#root)
    if (count !== this.#tokenCount) throw new Error(`radix index: counts ${this.#tokenCount} tokens, holds ${count}`)
    for (const holder of this.#ends.keys()) this.#verifyPath(holder)
  }

  #verifyPath(holder: Holder): void {
    for (let node = this.#ends.get(holder); node?.parent; node = node.parent) {
      if (!node.holders.has(holder)) throw new Error('radix index: a holder is missing on its path')
    }
  }

  /** Tokens that are in no child of `node`: more of it when it is this holder's own leaf, else a new child. */
  #append(node: Node<Holder>, tokens: number[], holder: Holder): Node<Holder> {
    this.#tokenCount += tokens.length
    if (node.parent && node.children.size === 0 && node.holders.size === 1 && node.holders.has(holder)) {
      for (const token of tokens) node.tokens.push(token)
      return node
    }
    const added = createNode<Holder>(tokens, node.start + node.tokens.length, node)
    added.holders.add(holder)
    node.children.set(tokens[0] ?? -1, added)
    return added
  }

  /** Cuts a node in two at `length`; returns the lower half. Holders of the whole node stay holders of both halves. */
  #split(node: Node<Holder>, length: number): Node<Holder> {
    const lower = createNode<Holder>(node.tokens.slice(length), node.start + length, node)
    lower.children = node.children
    for (const child of lower.children.values()) child.parent = lower
    lower.holders = new Set(node.holders)
    for (const holder of lower.holders) if (this.#ends.get(holder) === node) this.#ends.set(holder, lower)
    node.tokens = node.tokens.slice(0, length)
    node.children = new Map([[lower.tokens[0] ?? -1, lower]])
    return lower
  }

  /** Takes a holder off a node, and the node away when it was the last; returns the parent. */
  #leave(node: Node<Holder>, holder: Holder): Node<Holder> {
    const parent = node.parent ?? this.#root
    node.holders.delete(holder)
    if (node.holders.size > 0) return parent
    this.#tokenCount -= node.tokens.length
    parent.children.delete(node.tokens[0] ?? -1)
    return parent
  }
}

function createNode<Holder>(tokens: number[], start: number, parent: Node<Holder> | undefined): Node<Holder> {
  return { tokens, start, parent, children: new Map(), holders: new Set() }
}

function commonLength(segment: readonly number[], tokens: readonly number[], offset: number, limit: number): number {
  const most = Math.min(segment.length, limit - offset)
  let length = 0
  while (length < most && segment[length] === tokens[offset + length]) length++
  return length
}
