/** Our scheduler over a runner that answers at once, and the messages between worker and parent as bytes: the engine without llama_decode. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import { AsyncQueue } from '../src/base/async.ts'
import type { Batch, RunResult } from '../src/engine/llama/batch.ts'
import { Generation } from '../src/engine/llama/generation.ts'
import type { GenerateCommand, WorkerEvent } from '../src/engine/llama/messages.ts'
import { Scheduler } from '../src/engine/llama/scheduler.ts'
import type { Sequence } from '../src/engine/llama/sequence.ts'
import { SnapshotStore } from '../src/engine/llama/snapshot-store.ts'
import { SplitPool } from '../src/engine/llama/split-pool.ts'
import { StepCost } from '../src/engine/llama/step-cost.ts'
import type { GenerateEvent, GenerateRequest } from '../src/shared/generate.ts'

export interface InstantEngine {
  /** Steps so far in which all `users` were decoding. */
  fullSteps(): number
  generate(request: GenerateRequest): AsyncIterable<GenerateEvent>
  close(): void
}

const PIECE = new TextEncoder().encode(' word')

export function createInstantEngine(users: number): InstantEngine {
  const window = 4096
  const shape = { layout: 'split' as const, slots: users, window, cells: users * window, parallel: users }
  const snapshots = new SnapshotStore({ memoryLimit: 0, bytesPerToken: 1 })
  const scheduler = new Scheduler({
    pool: new SplitPool(shape, snapshots, { sharing: true }),
    cost: new StepCost({ idleTokens: 512 }),
    maxBatchTokens: 512,
    speculation: false,
    isEnd: () => false,
    now: () => performance.now(),
  })
  const generations = new Map<Sequence, { generation: Generation; queue: AsyncQueue<WorkerEvent> }>()
  let nextId = 1
  let fullSteps = 0
  const closing = new AbortController()
  let wake = (): void => {}

  const step = (batch: Batch): void => {
    const outbox: [number, WorkerEvent][] = []
    const queues = new Map<number, AsyncQueue<WorkerEvent>>()
    for (const emission of scheduler.commit(batch, answer(batch))) {
      const owner = generations.get(emission.sequence)
      if (!owner) continue
      queues.set(owner.generation.id, owner.queue)
      for (const event of owner.generation.take(emission).events) outbox.push([owner.generation.id, event])
      if (emission.type === 'ended') generations.delete(emission.sequence)
    }
    // What `child.send` with advanced serialization does, on both sides.
    const received = deserialize(serialize({ type: 'events', events: outbox })) as { events: [number, WorkerEvent][] }
    for (const [id, event] of received.events) queues.get(id)?.push(event)
    if (batch.runs.length === users && batch.tokenCount === users) fullSteps++
  }

  const loop = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const batch = scheduler.schedule()
      if (batch) step(batch)
      else await new Promise<void>((resolve) => (wake = resolve))
      // Sockets get their turn, as they do while llama_decode runs on its thread.
      await nextTurn()
    }
  }
  void loop()

  async function* generate(request: GenerateRequest): AsyncGenerator<GenerateEvent> {
    const id = nextId++
    const command = commandOf(id, request)
    const generation = new Generation({ command, pieceBytes: () => PIECE, now: () => performance.now() })
    const queue = new AsyncQueue<WorkerEvent>()
    const tokens = Array.from({ length: 20 }, (_, index) => id * 100 + index)
    const sequence = scheduler.add({ id, tokens, maxTokens: request.maxTokens ?? 100, sampling: { seed: 1, ignoreEos: true } })
    generation.add(sequence)
    generations.set(sequence, { generation, queue })
    wake()
    for await (const event of queue) {
      yield toGenerateEvent(event)
      if (event.type === 'finish' || event.type === 'error') return
    }
  }

  return {
    fullSteps: () => fullSteps,
    generate,
    close: () => {
      closing.abort()
      wake()
    },
  }
}

function commandOf(id: number, { stop, choices, deterministic }: GenerateRequest): GenerateCommand {
  const prompt = { type: 'tokens' as const, tokens: [] }
  return {
    type: 'generate',
    id,
    prompt,
    sampling: {},
    stop,
    ignoreEos: true,
    choices,
    deterministic,
    promptLogprobs: false,
    background: false,
    markup: [],
  }
}

/** Every run that asks for a token gets one. */
function answer({ runs }: Batch): RunResult {
  const sampled = runs
    .filter((run) => run.sample)
    .map((run) => ({ sequence: run.sequence, tokens: [{ token: (run.start * 7919) % 30_000 }] }))
  return { sampled, failures: [], decodeMs: 0.01 }
}

function toGenerateEvent(event: WorkerEvent): GenerateEvent {
  if (event.type === 'text') return { type: 'text-delta', choice: event.choice, text: event.text }
  if (event.type === 'finish') return { ...event, usage: { ...event.usage, reasoningTokens: 0 } }
  return event
}
