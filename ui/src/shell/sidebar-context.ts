import { createContext, type Context } from 'react'

export interface SidebarControl {
  /** On a wide screen. */
  open: boolean
  toggle: () => void
  /** On a phone. */
  openDrawer: () => void
}

export const SidebarContext: Context<SidebarControl> = createContext<SidebarControl>({ open: true, toggle: () => {}, openDrawer: () => {} })
