import { againstPeer, type Bench, type BenchContext } from './bench.ts'
import { chat, gaps } from './client.ts'
import type { Server } from './servers.ts'
import { words } from './texts.ts'

const READERS = 3

/** Three users are reading answers when a 1,500-word prompt arrives. */
export const stall: Bench = {
  name: 'stall',
  run: (context) =>
    againstPeer(
      context,
      { parallel: 4, context: 4096 },
      {
        gap: { what: "readers' longest gap while a 1,500-word prompt arrives", unit: 'ms', better: 'lower', target: 1 / 20 },
        first: { what: "… that prompt's own first token", unit: 's', better: 'lower', target: 1.5 },
      },
      (server, round) => measure(server, round, context),
    ),
}

async function measure(server: Server, round: number, { quick }: BenchContext): Promise<{ gap: number; first: number }> {
  const abort = new AbortController()
  const start = performance.now()
  let reading = 0
  let allRead: () => void = () => {}
  const everybodyReads = new Promise<void>((resolve) => (allRead = resolve))
  const pieces = Array.from({ length: READERS }, () => [] as number[])
  const readers = pieces.map((stamps, reader) => {
    const onText = (): void => {
      stamps.push(performance.now() - start)
      if (stamps.length === 3 && ++reading === READERS) allRead()
    }
    // Long enough to outlast the prefill; the rest is cancelled.
    const options = { messages: [{ role: 'user' as const, content: words(12, 30_000 + round * 10 + reader) }], tokens: quick ? 200 : 2000 }
    return chat(server.base, { ...options, onText, signal: abort.signal })
  })
  const ended = Promise.allSettled(readers)
  await Promise.race([everybodyReads, Promise.all(readers)])
  const arrived = performance.now() - start
  const long = await chat(server.base, { messages: [{ role: 'user', content: words(quick ? 150 : 1500, 31_000 + round) }], tokens: 2 })
  const until = arrived + long.firstMs
  // One more piece of every reader closes the last gap.
  const after = performance.now() - start
  await Promise.race([untilAll(pieces, after, abort.signal), ended])
  abort.abort()
  await ended
  const during = pieces.flatMap((stamps) => gapsOver(stamps, arrived, until))
  if (during.length === 0) throw new Error('the readers were done before the long prompt arrived')
  return { gap: Math.max(...during), first: long.firstMs / 1000 }
}

/** The gaps that touch the time from `from` to `to`. */
function gapsOver(stamps: readonly number[], from: number, to: number): number[] {
  return gaps(stamps).filter((gap, index) => {
    const start = stamps[index] ?? 0
    return start <= to && start + gap >= from
  })
}

async function untilAll(pieces: readonly number[][], after: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && pieces.some((stamps) => (stamps.at(-1) ?? 0) <= after)) await new Promise((resolve) => setTimeout(resolve, 5))
}
