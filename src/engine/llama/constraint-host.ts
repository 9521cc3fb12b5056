/**
 * Matchers that live in another thread, asked through shared memory: a sampler cannot wait for messages. The thread sleeps between two
 * questions; one that does not answer in time is ended, and its sequences fail.
 *
 *   control: [state, operation, matcher, argument, result], then the words of the tokens that may come
 */
import { ConstraintTooDear } from './constraint-compiler.ts'
import type { CompiledConstraint } from './constraint-compiler.ts'
import type { Matcher } from './constraint-rule.ts'

const STATE = 0
const OPERATION = 1
const MATCHER = 2
const ARGUMENT = 3
const RESULT = 4
const CONTROL_WORDS = 8

const IDLE = 0
const ASKED = 1

/** `argument`: the constraint. */
const OPEN = 1
/** `argument`: the token. */
const ACCEPT = 2
/** `argument`: the token that was taken since the last question, or NONE. */
const ALLOWED = 3
const CLOSE = 4
/** `argument`: the constraint, which nobody opens any more. */
const DROP = 5
/** The thread goes back to its messages. */
const LEAVE = 6

const DONE = 1
const REFUSED = 0
const FAILED = -1
const NONE = -1

/** The asking side. */
export interface MatcherChannel {
  readonly shared: SharedArrayBuffer
  readonly hasEnded: boolean
  /** Of a constraint that the thread has compiled. */
  open(constraint: number): Matcher
  drop(constraint: number): void
  leave(): void
  /** Ends the thread. Idempotent. */
  end(): void
}

/** `answerLimitMs`: for one question; whoever asks waits that long. */
export function createMatcherChannel(vocabularySize: number, answerLimitMs: number, endThread: () => void): MatcherChannel {
  const words = Math.ceil(vocabularySize / 32)
  const shared = new SharedArrayBuffer(4 * (CONTROL_WORDS + words))
  const control = new Int32Array(shared, 0, CONTROL_WORDS)
  const allowed = new Int32Array(shared, 4 * CONTROL_WORDS, words)
  let next = 0
  let hasEnded = false

  const ask = (operation: number, matcher: number, argument = 0): boolean => {
    if (hasEnded) throw new Error('the thread of its constraint has ended')
    control[OPERATION] = operation
    control[MATCHER] = matcher
    control[ARGUMENT] = argument
    control[RESULT] = FAILED
    Atomics.store(control, STATE, ASKED)
    Atomics.notify(control, STATE)
    const isAnswered = waitWhile(control, ASKED, answerLimitMs)
    if (isAnswered && control[RESULT] !== FAILED) return control[RESULT] === DONE
    end()
    if (isAnswered) throw new Error('its constraint failed')
    throw new ConstraintTooDear(`it needs more than ${answerLimitMs} ms for one token`)
  }
  /** What is given back, not asked: a thread that does not answer is ended, and others will notice. */
  const giveBack = (operation: number, matcher: number, argument = 0): void => {
    try {
      if (!hasEnded) ask(operation, matcher, argument)
    } catch {
      // It has ended, which gives everything back.
    }
  }
  const end = (): void => {
    if (!hasEnded) endThread()
    hasEnded = true
  }
  return {
    shared,
    get hasEnded() {
      return hasEnded
    },
    open(constraint) {
      const id = next++
      ask(OPEN, id, constraint)
      return matcherOver({
        accept: (token) => ask(ACCEPT, id, token),
        allowed: (taken) => {
          ask(ALLOWED, id, taken)
          return allowed
        },
        close: () => giveBack(CLOSE, id),
      })
    },
    drop: (constraint) => giveBack(DROP, 0, constraint),
    leave: () => void ask(LEAVE, 0),
    end,
  }
}

interface Questions {
  accept(token: number): boolean
  /** Valid until the next question. */
  allowed(taken: number): Int32Array
  close(): void
}

/** A token that the last answer allows is taken with the next question: one for each token instead of two. */
function matcherOver({ accept, allowed, close }: Questions): Matcher {
  let known: Int32Array | undefined
  let taken = NONE
  return {
    accept(token) {
      if (known && ((known[token >> 5] ?? 0) >>> (token & 31)) & 1) {
        known = undefined
        taken = token
        return true
      }
      // Two in a row, as with speculation.
      if (taken !== NONE) accept(taken)
      taken = NONE
      const isAccepted = accept(token)
      if (isAccepted) known = undefined
      return isAccepted
    },
    useAllowed(use) {
      known = allowed(taken).slice()
      taken = NONE
      use(known)
    },
    close,
  }
}

/** A thread that goes on with its only constraint, which is number 0, and ends when nobody needs that any more. */
export function hostedConstraint(channel: MatcherChannel): CompiledConstraint {
  let open = 0
  let isDisposed = false
  const endUnused = (): void => {
    if (isDisposed && open === 0) channel.end()
  }
  return {
    open() {
      const matcher = channel.open(0)
      open++
      return {
        ...matcher,
        close() {
          matcher.close()
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
      return channel.hasEnded
    },
  }
}

/** The answering side: blocks its thread until it is told to leave. */
export function serveMatchers(
  constraints: Map<number, CompiledConstraint>,
  matchers: Map<number, Matcher>,
  shared: SharedArrayBuffer,
): void {
  const control = new Int32Array(shared, 0, CONTROL_WORDS)
  const allowed = new Int32Array(shared, 4 * CONTROL_WORDS)
  for (;;) {
    waitWhile(control, IDLE)
    const isLeaving = control[OPERATION] === LEAVE
    control[RESULT] = isLeaving ? DONE : answer(constraints, matchers, { control, allowed })
    Atomics.store(control, STATE, IDLE)
    Atomics.notify(control, STATE)
    if (isLeaving) return
  }
}

/**
 * Waits until the state is another one; false when it still is after `limitMs`. A side that finds its answer before it sleeps is not woken by the
 * other's call, which may come late and then wakes it from its next sleep: only the state says that there is something.
 */
function waitWhile(control: Int32Array, state: number, limitMs: number = Number.POSITIVE_INFINITY): boolean {
  const until = performance.now() + limitMs
  while (Atomics.load(control, STATE) === state) {
    const outcome = Atomics.wait(control, STATE, state, Math.max(0, until - performance.now()))
    if (outcome === 'timed-out') return false
  }
  return true
}

function answer(
  constraints: Map<number, CompiledConstraint>,
  matchers: Map<number, Matcher>,
  { control, allowed }: { control: Int32Array; allowed: Int32Array },
): number {
  const [operation, id = 0, argument = 0] = [control[OPERATION], control[MATCHER], control[ARGUMENT]]
  try {
    if (operation === DROP) {
      constraints.get(argument)?.dispose()
      constraints.delete(argument)
      return DONE
    }
    const matcher = operation === OPEN ? constraints.get(argument)?.open() : matchers.get(id)
    if (!matcher) return FAILED
    if (operation === OPEN) matchers.set(id, matcher)
    if (operation === ACCEPT) return matcher.accept(argument) ? DONE : REFUSED
    if (operation === ALLOWED && argument !== NONE && !matcher.accept(argument)) {
      throw new Error(`token ${argument} is refused, but was among those allowed`)
    }
    if (operation === ALLOWED) matcher.useAllowed((words) => allowed.set(words))
    if (operation === CLOSE) {
      matchers.delete(id)
      matcher.close()
    }
    return DONE
  } catch (error) {
    // The other side ends this thread. Its error output is the deployment's log.
    process.stderr.write(`constraint thread: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    return FAILED
  }
}
