import { useCallback, useState, type JSX, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Dialog } from '../components/ui/dialog.tsx'
import { ToastOutlet } from '../components/ui/toast.tsx'
import { readText, writeText } from '../store/browser-storage.ts'
import { useAnnouncement } from './announcer.ts'
import { ConnectionBanner } from './connection-banner.tsx'
import { SidebarContext } from './sidebar-context.ts'
import { Sidebar } from './sidebar.tsx'

const STORAGE_KEY = 'bendi.sidebar'

/** The frame of every page: the side list (a drawer on a phone), the banner of a lost connection, messages. */
export function Shell({ children }: { children: ReactNode }): JSX.Element {
  const { t } = useTranslation()
  const [open, setOpen] = useState(() => readText(STORAGE_KEY) !== 'closed')
  const [drawer, setDrawer] = useState(false)
  const toggle = useCallback(() => {
    setOpen((before) => {
      writeText(STORAGE_KEY, before ? 'closed' : '')
      return !before
    })
  }, [])
  return (
    <SidebarContext value={{ open, toggle, openDrawer: () => setDrawer(true) }}>
      <a href="#main" className="skip-link">
        {t('common.skip')}
      </a>
      <div className="frame flex overflow-hidden">
        {open && (
          <div className="hidden w-72 shrink-0 border-r border-line bg-side md:block">
            <Sidebar />
          </div>
        )}
        <Dialog shape="drawer" open={drawer} onOpenChange={setDrawer} title={t('nav.label')}>
          <Sidebar onNavigate={() => setDrawer(false)} />
        </Dialog>
        <main id="main" className="relative flex min-w-0 flex-1 flex-col">
          <ConnectionBanner />
          {children}
        </main>
      </div>
      <ToastOutlet />
      <Announcer />
    </SidebarContext>
  )
}

function Announcer(): JSX.Element {
  const { t } = useTranslation()
  const text = useAnnouncement()
  return (
    <div role="status" aria-live="polite" className="sr-only" data-testid="announcer">
      {text && t(text)}
    </div>
  )
}
