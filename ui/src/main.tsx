import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { startConversations } from './chat/conversations.ts'
import { startI18n } from './i18n/i18n.ts'
import { startVisibleHeight } from './shell/visible-height.ts'
import { startTheme } from './theme/theme.ts'
import './styles/index.css'

startI18n()
startTheme()
startVisibleHeight()
startConversations()

const root = document.querySelector('#root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
