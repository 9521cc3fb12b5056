import type { KeyboardEvent } from 'react'

/**
 * An input method is choosing characters: Enter belongs to it. Some browsers end the composition before the key event comes;
 * that event has the key code 229.
 */
export function isComposing({ nativeEvent }: KeyboardEvent): boolean {
  return nativeEvent.isComposing || nativeEvent.keyCode === 229
}
