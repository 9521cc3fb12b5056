import { QueryClientProvider } from '@tanstack/react-query'
import { lazy, Suspense, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Route, Switch, useLocation } from 'wouter'
import { createQueryClient } from './api/queries.ts'
import { ChatPage } from './chat/chat-page.tsx'
import { ErrorBoundary } from './components/error-boundary.tsx'
import { TooltipProvider } from './components/ui/tooltip.tsx'
import { BrokenPart } from './shell/broken-part.tsx'
import { Shell } from './shell/shell.tsx'

const ModelsPage = lazy(() => import('./models/models-page.tsx'))
const StatusPage = lazy(() => import('./status/status-page.tsx'))
const queries = createQueryClient()
const showBroken = (error: unknown): JSX.Element => <BrokenPart error={error} />

export function App(): JSX.Element {
  return (
    <QueryClientProvider client={queries}>
      <TooltipProvider>
        <Shell>
          <Pages />
        </Shell>
      </TooltipProvider>
    </QueryClientProvider>
  )
}

/** A page that breaks leaves the side list in place, and other addresses. */
function Pages(): JSX.Element {
  const [address] = useLocation()
  return (
    <ErrorBoundary retryKey={address} fallback={showBroken}>
      <Suspense fallback={<div className="flex-1" />}>
        <Routes />
      </Suspense>
    </ErrorBoundary>
  )
}

function Routes(): JSX.Element {
  return (
    <Switch>
      <Route path="/">
        <ChatPage />
      </Route>
      <Route path="/chat/:id">{({ id }) => <ChatPage chatId={id} />}</Route>
      <Route path="/models" component={ModelsPage} />
      <Route path="/status" component={StatusPage} />
      <Route component={NotFoundPage} />
    </Switch>
  )
}

function NotFoundPage(): JSX.Element {
  const { t } = useTranslation()
  return (
    <div className="flex flex-1 flex-col items-center justify-center gap-3 p-6">
      <h1 className="text-lg">{t('common.notFound')}</h1>
      <Link href="/" className="text-accent underline underline-offset-4">
        {t('common.backToChat')}
      </Link>
    </div>
  )
}
