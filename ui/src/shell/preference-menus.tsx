import type { JSX, ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { IconButton } from '../components/ui/button.tsx'
import { LanguageIcon, MoonIcon, ScreenIcon, SunIcon } from '../components/ui/icons.tsx'
import { Menu, MenuChoice } from '../components/ui/menu.tsx'
import { currentLanguage, setLanguage } from '../i18n/i18n.ts'
import { setTheme, useTheme, type Theme } from '../theme/theme.ts'

export function LanguageMenu(): JSX.Element {
  const { t } = useTranslation()
  const trigger = (
    <IconButton label={t('nav.language')}>
      <LanguageIcon />
    </IconButton>
  )
  return (
    <Menu trigger={trigger} side="top" align="end">
      <MenuChoice
        label={t('nav.language')}
        value={currentLanguage()}
        onChange={setLanguage}
        options={[
          { value: 'zh', content: <span lang="zh-CN">中文</span> },
          { value: 'en', content: <span lang="en">English</span> },
        ]}
      />
    </Menu>
  )
}

const themeIcons: Record<Theme, ReactNode> = { light: <SunIcon />, dark: <MoonIcon />, system: <ScreenIcon /> }

export function ThemeMenu(): JSX.Element {
  const { t } = useTranslation()
  const theme = useTheme()
  const option = (value: Theme): { value: Theme; content: ReactNode } => ({
    value,
    content: (
      <span className="flex items-center gap-2.5">
        {themeIcons[value]}
        {t(`nav.${value}`)}
      </span>
    ),
  })
  return (
    <Menu trigger={<IconButton label={t('nav.theme')}>{themeIcons[theme]}</IconButton>} side="top" align="end">
      <MenuChoice label={t('nav.theme')} value={theme} onChange={setTheme} options={[option('light'), option('dark'), option('system')]} />
    </Menu>
  )
}
