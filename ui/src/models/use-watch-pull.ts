import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent } from 'react'
import type { Pull } from '../../../src/shared/api.ts'
import { client } from '../api/client.ts'
import { setPull, useRefresh } from '../api/queries.ts'

/** ms before a broken stream of progress is asked for again. */
const RECONNECT_MS = 1500

export function isUnderWay({ state }: Pull): boolean {
  return state !== 'done' && state !== 'failed' && state !== 'cancelled'
}

/** Follows one download while it runs. A stream that breaks is opened again; it begins with the current state, so nothing freezes. */
export function useWatchPull(pull: Pull): void {
  const queries = useQueryClient()
  const refresh = useRefresh('models', 'names', 'pulls')
  const onPull = useEffectEvent((next: Pull) => {
    setPull(queries, next)
    if (!isUnderWay(next)) refresh()
  })
  const active = isUnderWay(pull)
  useEffect(() => {
    if (!active) return undefined
    const controller = new AbortController()
    void follow(pull.id, controller.signal, (next) => onPull(next))
    return () => controller.abort()
  }, [active, pull.id])
}

async function follow(id: string, signal: AbortSignal, onPull: (pull: Pull) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const pull of client.events('watchPull', { params: { id }, signal })) {
        onPull(pull)
        if (!isUnderWay(pull)) return
      }
    } catch {
      // The next round tells whether the server is back.
    }
    await pause(RECONNECT_MS, signal)
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const id = setTimeout(resolve, delayMs)
    signal.addEventListener('abort', () => {
      clearTimeout(id)
      resolve()
    })
  })
}
