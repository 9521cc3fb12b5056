/**
 * The thread of `constraint-trial.ts`: compiles one constraint after another, so that nobody's step waits for those that cost too much.
 * One that is dear but possible stays here: then the thread answers for its matchers (constraint-host.ts) and does nothing else any more.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { ConstraintRoot } from '../../formats/constraint.ts'
import { ConstraintCompiler } from './constraint-compiler.ts'
import type { CompiledConstraint } from './constraint-compiler.ts'
import type { Matcher } from './constraint-rule.ts'
import { serveMatchers } from './constraint-host.ts'
import type { TrialCommand, TrialReply } from './constraint-trial.ts'
import type { TokenVocabulary } from './token-vocabulary.ts'

const vocabulary = workerData as TokenVocabulary
const port = parentPort
const compiler = await ConstraintCompiler.create(vocabulary)
let last: CompiledConstraint | undefined
port?.on('message', (command: TrialCommand) => void obey(command))
port?.postMessage({ type: 'ready' } satisfies TrialReply)

async function obey(command: TrialCommand): Promise<void> {
  if (command.type === 'try') port?.postMessage(await tryOut(command.root))
  else if (last) serveMatchers(last, command.shared)
}

/** Compiles, and takes some steps: that is where what a grammar left for later is paid. */
async function tryOut(root: ConstraintRoot): Promise<TrialReply> {
  const [start, heap] = [performance.now(), compiler.heapBytes]
  try {
    last?.dispose()
    last = await compiler.compile(root)
    const matcher = last.open()
    const steps = walk(matcher)
    matcher.close()
    const [ms, bytes] = [performance.now() - start, compiler.heapBytes - heap]
    return steps > 0 ? { type: 'compiled', ms, bytes } : { type: 'refused', reason: 'nothing can satisfy it' }
  } catch (error) {
    last = undefined
    return { type: 'refused', reason: error instanceof Error ? error.message : String(error) }
  }
}

const MOST_STEPS = 8

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
