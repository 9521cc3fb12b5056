import type { JSX, ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useRoute } from 'wouter'
import { ChatList } from '../chat/chat-list.tsx'
import { ComposeIcon, CubeIcon, PulseIcon, Seal } from '../components/ui/icons.tsx'
import { classNames } from '../components/ui/class-names.ts'
import { LanguageMenu, ThemeMenu } from './preference-menus.tsx'

export interface SidebarProps {
  /** After a link was followed: a drawer closes. */
  onNavigate?: () => void
}

export function Sidebar({ onNavigate }: SidebarProps): JSX.Element {
  const { t } = useTranslation()
  return (
    <nav aria-label={t('nav.label')} className="flex h-full flex-col" onClick={(event) => isLink(event.target) && onNavigate?.()}>
      <div className="flex h-14 shrink-0 items-center px-4">
        <Link href="/" className="flex items-center gap-2.5 rounded-lg pointer-coarse:h-10">
          <Seal />
          <span className="brand text-[19px]">bendi</span>
          <span className="brand text-[15px] text-muted" lang="zh-CN">
            本地
          </span>
        </Link>
      </div>
      <div className="px-3 pt-1 pb-2">
        <Link
          href="/"
          className="flex h-10 items-center gap-2.5 rounded-xl border border-line bg-card px-3 text-sm font-medium shadow-card transition-colors hover:bg-hover"
        >
          <ComposeIcon className="text-accent" />
          {t('nav.newChat')}
        </Link>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-3 pb-3">
        <ChatList onNavigate={onNavigate} />
      </div>
      <div className="flex shrink-0 flex-col gap-0.5 border-t border-line p-3">
        <NavLink href="/models" icon={<CubeIcon />} text={t('nav.models')} />
        <NavLink href="/status" icon={<PulseIcon />} text={t('nav.status')} />
        <div className="mt-1 flex items-center justify-between pl-3">
          <span className="truncate text-xs text-muted">{t('nav.tagline')}</span>
          <span className="flex">
            <LanguageMenu />
            <ThemeMenu />
          </span>
        </div>
      </div>
    </nav>
  )
}

function NavLink({ href, icon, text }: { href: string; icon: ReactNode; text: string }): JSX.Element {
  const [active] = useRoute(href)
  return (
    <Link
      href={href}
      aria-current={active ? 'page' : undefined}
      className={classNames(
        'flex h-9 pointer-coarse:h-10 items-center gap-2.5 rounded-lg px-3 text-sm transition-colors hover:bg-hover',
        active ? 'bg-hover font-medium text-ink' : 'text-muted',
      )}
    >
      {icon}
      {text}
    </Link>
  )
}

function isLink(target: EventTarget): boolean {
  return target instanceof Element && target.closest('a') !== null
}
