import { useEffect, useEffectEvent } from 'react'
import { isComposingNow } from './composition.ts'

/** Escape, wherever the focus is, unless something nearer (a menu, an editor, an input method) took it. */
export function useEscape(active: boolean, onEscape: () => void): void {
  const run = useEffectEvent(onEscape)
  useEffect(() => {
    if (!active) return undefined
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented && !isComposingNow(event)) run()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [active])
}
