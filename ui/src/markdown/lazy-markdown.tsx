import { lazy, Suspense, type ComponentType, type JSX } from 'react'
import type { MarkdownProps } from './markdown.tsx'

const load = (): Promise<{ default: ComponentType<MarkdownProps> }> => import('./markdown.tsx')
const Markdown = lazy(load)

/** Fetches the renderer before the first answer needs it. */
export function preloadMarkdown(): void {
  void load()
}

/** The plain text until the renderer is there. */
export function LazyMarkdown({ text, live }: MarkdownProps): JSX.Element {
  return (
    <Suspense
      fallback={
        <div className="markdown whitespace-pre-wrap" dir="auto">
          {text}
        </div>
      }
    >
      <Markdown text={text} live={live} />
    </Suspense>
  )
}
