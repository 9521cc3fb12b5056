/**
 * The thread of `constraint-trial.ts` and `constraint-server.ts`: compiles one constraint after another, so that nobody's step waits for that, and
 * answers for their matchers (constraint-host.ts). A constraint that was tried and is dear stays here: then the thread does nothing else any more.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { ConstraintRoot } from '../../formats/constraint.ts'
import { ConstraintCompiler } from './constraint-compiler.ts'
import type { CompiledConstraint } from './constraint-compiler.ts'
import type { Matcher } from './constraint-rule.ts'
import { serveMatchers } from './constraint-host.ts'
import type { TrialCommand, TrialReply } from './constraint-trial.ts'
import type { TokenVocabulary } from './token-vocabulary.ts'

/** Makes the machine code of what every constraint needs: the first compilation of all takes ten times as long as the next. */
const WARM_UP: ConstraintRoot = {
  type: 'json-schema',
  schema: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'array', items: { type: 'number' } } }, required: ['a'] },
}

const MOST_STEPS = 8

const vocabulary = workerData as TokenVocabulary
const port = parentPort
const compiler = await ConstraintCompiler.create(vocabulary)
const constraints = new Map<number, CompiledConstraint>()
const matchers = new Map<number, Matcher>()
const warm = await compiler.compile(WARM_UP)
walk(warm.open())
warm.dispose()
port?.on('message', (command: TrialCommand) => void obey(command))
port?.postMessage({ type: 'ready' } satisfies TrialReply)

async function obey(command: TrialCommand): Promise<void> {
  switch (command.type) {
    case 'try':
      port?.postMessage(await tryOut(command.root))
      return
    case 'serve':
      return serveMatchers(constraints, matchers, command.shared)
    case 'add':
      port?.postMessage(await add(command.id, command.root))
      return serveMatchers(constraints, matchers, command.shared)
  }
}

async function add(id: number, root: ConstraintRoot): Promise<TrialReply> {
  const start = performance.now()
  try {
    constraints.set(id, await compiler.compile(root))
    return { type: 'compiled', ms: performance.now() - start, bytes: 0 }
  } catch (error) {
    return { type: 'refused', reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Compiles, and takes some steps: that is where what a grammar left for later is paid. */
async function tryOut(root: ConstraintRoot): Promise<TrialReply> {
  const [start, heap] = [performance.now(), compiler.heapBytes]
  try {
    constraints.get(0)?.dispose()
    const compiled = await compiler.compile(root)
    constraints.set(0, compiled)
    const matcher = compiled.open()
    const steps = walk(matcher)
    matcher.close()
    const [ms, bytes] = [performance.now() - start, compiler.heapBytes - heap]
    return steps > 0 ? { type: 'compiled', ms, bytes } : { type: 'refused', reason: 'nothing can satisfy it' }
  } catch (error) {
    constraints.delete(0)
    return { type: 'refused', reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Takes the middle one of all tokens that may come, again and again. Returns for how many steps some could. */
function walk(matcher: Matcher): number {
  for (let step = 0; step < MOST_STEPS; step++) {
    const possible: number[] = []
    matcher.useAllowed((words) => possible.push(...wordsWithBits(words)))
    const word = possible[possible.length >> 1]
    if (word === undefined) return step
    const token = Array.from({ length: 32 }, (_, bit) => word * 32 + bit).find((each) => matcher.accept(each))
    if (token === undefined) return step + 1
  }
  return MOST_STEPS
}

function wordsWithBits(words: Int32Array): number[] {
  return Array.from(words.keys()).filter((word) => words[word] !== 0)
}
