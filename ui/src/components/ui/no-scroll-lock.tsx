/**
 * Stands in for react-remove-scroll inside the built page (see vite.config.ts). The page's body never scrolls, so there is
 * nothing to lock; and the real one writes a style element, which the Content-Security-Policy forbids.
 */
import { Slot } from 'radix-ui'
import type { ElementType, JSX, ReactNode } from 'react'

export interface RemoveScrollProps {
  as?: ElementType
  children: ReactNode
}

export function RemoveScroll({ as: Element = Slot.Root, children }: RemoveScrollProps): JSX.Element {
  return <Element>{children}</Element>
}
