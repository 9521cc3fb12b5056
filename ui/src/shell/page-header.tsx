import { use, type JSX, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { IconButton } from '../components/ui/button.tsx'
import { ComposeIcon, MenuIcon, SidebarIcon } from '../components/ui/icons.tsx'
import { SidebarContext } from './sidebar-context.ts'

/** The bar on top of a page: opens the side list; `children` are the page's own. */
export function PageHeader({ children }: { children: ReactNode }): JSX.Element {
  const { t } = useTranslation()
  const { open, toggle, openDrawer } = use(SidebarContext)
  return (
    <header className="flex h-14 shrink-0 items-center gap-1 px-2 md:px-3">
      <span className="md:hidden">
        <IconButton label={t('nav.openSidebar')} size="touch" onClick={openDrawer}>
          <MenuIcon />
        </IconButton>
      </span>
      <span className="hidden md:block">
        <IconButton label={open ? t('nav.closeSidebar') : t('nav.openSidebar')} aria-expanded={open} onClick={toggle}>
          <SidebarIcon />
        </IconButton>
      </span>
      <div className="flex min-w-0 flex-1 items-center gap-1">{children}</div>
      <Link
        href="/"
        aria-label={t('nav.newChat')}
        className="flex size-10 items-center justify-center rounded-lg text-lg text-muted hover:bg-hover md:hidden"
      >
        <ComposeIcon />
      </Link>
    </header>
  )
}
