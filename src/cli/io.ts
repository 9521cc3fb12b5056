/** The outside of the command line: streams, terminal, signals. Tests pass their own. */
import type { Readable } from 'node:stream'
import type { Environment } from '../config/environment.ts'
import { processEnvironment } from '../config/environment.ts'

export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof STOP_SIGNALS)[number]

export interface TextSink {
  write(text: string): unknown
}

export interface CliIo {
  stdout: TextSink
  stderr: TextSink
  stdin: Readable
  env: Environment
  /** Which of the streams is a terminal. */
  isTty: { stdin: boolean; stdout: boolean; stderr: boolean }
  /** Where line editing draws; absent when there is no terminal. */
  terminal?: NodeJS.WritableStream
  /** Width of the terminal in columns. */
  columns(): number
  cwd: string
  platform: NodeJS.Platform
  /** Calls back on each signal that asks us to stop; the answer unsubscribes. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void
}

export function processIo(): CliIo {
  const { stdout, stderr, stdin } = process
  return {
    stdout,
    stderr,
    stdin,
    env: processEnvironment(),
    isTty: { stdin: stdin.isTTY === true, stdout: stdout.isTTY === true, stderr: stderr.isTTY === true },
    ...(stdin.isTTY && stdout.isTTY ? { terminal: stdout } : {}),
    // A terminal that was never told its size says 0.
    columns: () => stderr.columns || stdout.columns || 80,
    cwd: process.cwd(),
    platform: process.platform,
    onStopSignal: (listener) => {
      const subscriptions = STOP_SIGNALS.map((signal) => [signal, () => listener(signal)] as const)
      for (const [signal, handler] of subscriptions) process.on(signal, handler)
      return () => {
        for (const [signal, handler] of subscriptions) process.off(signal, handler)
      }
    },
  }
}
