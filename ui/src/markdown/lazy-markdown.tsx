import { lazy, Suspense, type ComponentType, type JSX } from 'react'
import { ErrorBoundary } from '../components/error-boundary.tsx'
import type { MarkdownProps } from './markdown.tsx'

const load = (): Promise<{ default: ComponentType<MarkdownProps> }> => import('./markdown.tsx')
const Markdown = lazy(load)

/** Fetches the renderer before the first answer needs it. */
export function preloadMarkdown(): void {
  // Who needs it tells when it cannot be had.
  load().catch(() => undefined)
}

/** The plain text until the renderer is there, or where it cannot be had or fails: the words are what matters. */
export function LazyMarkdown({ text, live }: MarkdownProps): JSX.Element {
  const plain = (
    <div className="markdown whitespace-pre-wrap" dir="auto">
      {text}
    </div>
  )
  return (
    <ErrorBoundary fallback={() => plain}>
      <Suspense fallback={plain}>
        <Markdown text={text} live={live} />
      </Suspense>
    </ErrorBoundary>
  )
}
