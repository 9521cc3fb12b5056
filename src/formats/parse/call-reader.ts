/** What the readers of the tool-call syntaxes have in common. */
import type { JsonStream } from './json-stream.ts'
import { repairedRest } from './repair-json.ts'
import type { TextWindow } from './text-window.ts'

export interface CallSink {
  begin(name: string): void
  arguments(text: string): void
  end(repaired: boolean): void
  /** What looked like a call and is none. */
  text(text: string): void
}

/** `wait`: more text is needed. `done`: the calls are over, and the window begins behind them. */
export type ReadResult = 'wait' | 'done'

/** Reads the calls at the window's beginning. With `window.ended` it is always done. */
export interface CallReader {
  read(window: TextWindow): ReadResult
}

/** Ends a call whose arguments were streamed, making them valid where they are not. */
export function endArguments(stream: JsonStream, sink: CallSink): void {
  if (stream.done) return sink.end(false)
  if (stream.sent === '' && stream.rest.trim() === '') {
    stream.append('{}')
    return sink.end(false)
  }
  stream.append(repairedRest(stream.sent, stream.rest))
  sink.end(true)
}
