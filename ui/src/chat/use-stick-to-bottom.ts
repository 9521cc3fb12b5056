/**
 * Keeps a growing list at its end, unless the reader scrolled up: any move upwards lets go at once,
 * and only coming back to the end takes hold again.
 */
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react'

/** px from the end that still count as the end. */
const NEAR_END = 40

export interface StickToBottom {
  scroller: RefObject<HTMLDivElement | null>
  content: RefObject<HTMLDivElement | null>
  /** The end is in view, or followed. */
  atEnd: boolean
  toEnd: () => void
}

export function useStickToBottom(): StickToBottom {
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const following = useRef(true)
  const [atEnd, setAtEnd] = useState(true)
  const follow = useCallback((value: boolean) => {
    following.current = value
    setAtEnd(value)
  }, [])
  const toEnd = useCallback(() => {
    follow(true)
    const element = scroller.current
    if (element) element.scrollTop = element.scrollHeight
  }, [follow])
  useEffect(() => {
    const element = scroller.current
    if (!element || !content.current) return undefined
    const stop = listenToReader(element, follow)
    const observer = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight
    })
    observer.observe(content.current)
    observer.observe(element)
    return () => {
      stop()
      observer.disconnect()
    }
  }, [follow])
  return { scroller, content, atEnd, toEnd }
}

/**
 * A scroll upwards is the reader's only if the content did not shrink meanwhile (folding thoughts moves the end up by itself).
 * Only a move downwards takes hold again: the first frames of a scroll upwards are still near the end.
 */
function listenToReader(element: HTMLElement, follow: (value: boolean) => void): () => void {
  let top = element.scrollTop
  let height = element.scrollHeight
  const onScroll = (): void => {
    const gap = element.scrollHeight - element.scrollTop - element.clientHeight
    if (element.scrollTop < top - 1 && gap > 1 && element.scrollHeight >= height) follow(false)
    else if (gap < NEAR_END && element.scrollTop > top) follow(true)
    top = element.scrollTop
    height = element.scrollHeight
  }
  const onWheel = (event: WheelEvent): void => {
    if (event.deltaY < 0 && element.scrollHeight > element.clientHeight) follow(false)
  }
  element.addEventListener('scroll', onScroll, { passive: true })
  element.addEventListener('wheel', onWheel, { passive: true })
  return () => {
    element.removeEventListener('scroll', onScroll)
    element.removeEventListener('wheel', onWheel)
  }
}
