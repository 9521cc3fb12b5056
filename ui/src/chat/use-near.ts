/** What is near to the part of a list that is being read: only that is worth rendering in full. */
import { createContext, startTransition, use, useEffect, useMemo, useState, type Context, type RefObject } from 'react'

/** How far outside of the view counts as near; two screens or so. */
const MARGIN = '1500px 0px'

export interface NearWatch {
  /** Calls back once, when the element comes near. */
  watch(element: Element, onNear: () => void): () => void
}

export const NearContext: Context<NearWatch | undefined> = createContext<NearWatch | undefined>(undefined)

/** One observer for a whole list; it reports one element a task, so that opening a long chat is many short tasks. */
export function useNearWatch(scroller: RefObject<Element | null>): NearWatch {
  const { watch, disconnect } = useMemo(() => createNearWatch(() => scroller.current), [scroller])
  useEffect(() => disconnect, [disconnect])
  return useMemo(() => ({ watch }), [watch])
}

/** True from the beginning where `initially`, else as soon as the element was near once. */
export function useNear(element: RefObject<Element | null>, initially: boolean): boolean {
  const list = use(NearContext)
  const [near, setNear] = useState(initially)
  useEffect(() => {
    if (near || !element.current || !list) return undefined
    // In a transition: React renders it in slices, and typing goes first.
    return list.watch(element.current, () => startTransition(() => setNear(true)))
  }, [near, element, list])
  return near
}

function createNearWatch(root: () => Element | null): NearWatch & { disconnect(): void } {
  const callbacks = new Map<Element, () => void>()
  let waiting: Element[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let observer: IntersectionObserver | undefined
  const next = (): void => {
    const element = waiting.pop()
    timer = element && setTimeout(next)
    if (element) callbacks.get(element)?.()
  }
  const onEntries = (entries: readonly IntersectionObserverEntry[]): void => {
    const came = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target)
    for (const element of came) observer?.unobserve(element)
    // The last in the list is taken first: a chat opens at its end.
    waiting = [...waiting, ...came]
    timer ??= setTimeout(next)
  }
  return {
    watch: (element, onNear) => {
      observer ??= new IntersectionObserver(onEntries, { root: root(), rootMargin: MARGIN })
      callbacks.set(element, onNear)
      observer.observe(element)
      return () => {
        callbacks.delete(element)
        observer?.unobserve(element)
      }
    },
    disconnect: () => {
      clearTimeout(timer)
      timer = undefined
      observer?.disconnect()
      observer = undefined
    },
  }
}
