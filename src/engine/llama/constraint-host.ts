/**
 * Matchers that live in another thread, asked through shared memory: a sampler cannot wait for messages. The thread sleeps between two
 * questions; one that does not answer in time is ended, and its sequences fail.
 *
 *   control: [state, operation, matcher, token, result], then the words of the tokens that may come
 */
import type { CompiledConstraint } from './constraint-compiler.ts'
import type { Matcher } from './constraint-rule.ts'

export interface ConstraintHost extends CompiledConstraint {
  readonly shared: SharedArrayBuffer
}

const STATE = 0
const OPERATION = 1
const MATCHER = 2
const TOKEN = 3
const RESULT = 4
const CONTROL_WORDS = 8

const IDLE = 0
const ASKED = 1

const OPEN = 1
const ACCEPT = 2
const ALLOWED = 3
const CLOSE = 4

const DONE = 1
const REFUSED = 0
const FAILED = -1

/** One question. What a grammar needs longer for would hold up everybody. */
const ANSWER_LIMIT_MS = 500

/** The asking side. `end` ends the thread. */
export function createConstraintHost(vocabularySize: number, end: () => void): ConstraintHost {
  const words = Math.ceil(vocabularySize / 32)
  const shared = new SharedArrayBuffer(4 * (CONTROL_WORDS + words))
  const control = new Int32Array(shared, 0, CONTROL_WORDS)
  const allowed = new Int32Array(shared, 4 * CONTROL_WORDS, words)
  let next = 0
  let open = 0
  let isDisposed = false
  let isEnded = false

  const ask = (operation: number, matcher: number, token = 0): boolean => {
    if (isEnded) throw new Error('the thread of its constraint has ended')
    control[OPERATION] = operation
    control[MATCHER] = matcher
    control[TOKEN] = token
    control[RESULT] = FAILED
    Atomics.store(control, STATE, ASKED)
    Atomics.notify(control, STATE)
    const outcome = Atomics.wait(control, STATE, ASKED, ANSWER_LIMIT_MS)
    if (outcome !== 'timed-out' && control[RESULT] !== FAILED) return control[RESULT] === DONE
    endNow()
    throw new Error(
      outcome === 'timed-out' ? `its constraint needs more than ${ANSWER_LIMIT_MS} ms for one token` : 'its constraint failed',
    )
  }
  const endNow = (): void => {
    isEnded = true
    end()
  }
  const endUnused = (): void => {
    if (isDisposed && open === 0 && !isEnded) endNow()
  }
  return {
    shared,
    open() {
      const id = next++
      ask(OPEN, id)
      open++
      return {
        accept: (token) => ask(ACCEPT, id, token),
        useAllowed(use) {
          ask(ALLOWED, id)
          use(allowed)
        },
        close() {
          if (!isEnded) ask(CLOSE, id)
          open--
          endUnused()
        },
      }
    },
    dispose() {
      isDisposed = true
      endUnused()
    },
    get isBroken() {
      return isEnded
    },
  }
}

/** The answering side: blocks its thread for good. */
export function serveMatchers(constraint: CompiledConstraint, shared: SharedArrayBuffer): never {
  const control = new Int32Array(shared, 0, CONTROL_WORDS)
  const allowed = new Int32Array(shared, 4 * CONTROL_WORDS)
  const matchers = new Map<number, Matcher>()
  for (;;) {
    Atomics.wait(control, STATE, IDLE)
    control[RESULT] = answer(constraint, matchers, control, allowed)
    Atomics.store(control, STATE, IDLE)
    Atomics.notify(control, STATE)
  }
}

function answer(constraint: CompiledConstraint, matchers: Map<number, Matcher>, control: Int32Array, allowed: Int32Array): number {
  const [operation, id = 0, token = 0] = [control[OPERATION], control[MATCHER], control[TOKEN]]
  try {
    const matcher = operation === OPEN ? constraint.open() : matchers.get(id)
    if (!matcher) return FAILED
    if (operation === OPEN) matchers.set(id, matcher)
    if (operation === ACCEPT) return matcher.accept(token) ? DONE : REFUSED
    if (operation === ALLOWED) matcher.useAllowed((words) => allowed.set(words))
    if (operation === CLOSE) {
      matchers.delete(id)
      matcher.close()
    }
    return DONE
  } catch {
    // The other side ends this thread.
    return FAILED
  }
}
