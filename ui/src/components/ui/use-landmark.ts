import { useRef, useState, type RefObject } from 'react'

export interface Landmark {
  trigger: RefObject<HTMLButtonElement | null>
  /** Where the layer of an open trigger belongs. */
  container: HTMLElement | null
  /** For Radix's Root, which tells before it renders the layer. */
  onOpenChange: (open: boolean) => void
}

/**
 * Menus and tooltips are rendered inside the part of the page (main, navigation, dialog) that holds their trigger: at the end of
 * the body, where Radix puts them, they would belong to no landmark, and readers who move by landmarks would not find them.
 */
export function useLandmark(): Landmark {
  const trigger = useRef<HTMLButtonElement>(null)
  const [container, setContainer] = useState<HTMLElement | null>(null)
  const onOpenChange = (open: boolean): void => {
    if (open) setContainer(trigger.current?.closest<HTMLElement>('main, nav, [role=dialog]') ?? null)
  }
  return { trigger, container, onOpenChange }
}
