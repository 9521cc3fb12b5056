import type { KeyboardEvent as ReactKeyboardEvent } from 'react'

/**
 * An input method is choosing characters: Enter, Escape and the arrows belong to it. Some browsers end the composition before
 * the key event comes; that event has the key code 229.
 */
export function isComposing({ nativeEvent }: ReactKeyboardEvent): boolean {
  return isComposingNow(nativeEvent)
}

export function isComposingNow({ isComposing: composing, keyCode }: KeyboardEvent): boolean {
  return composing || keyCode === 229
}
