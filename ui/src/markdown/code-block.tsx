import { memo, useEffect, useMemo, useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { CopyButton } from '../components/copy-button.tsx'
import { escapeHtml, splitHighlightedLines } from './split-lines.ts'

type Highlight = (code: string, language: string) => string
let loaded: Highlight | undefined

/** A fenced block: its language, a copy button, and coloured lines. Lines that did not change are not rendered again. */
export function CodeBlock({ code, language }: { code: string; language: string }): JSX.Element {
  const { t } = useTranslation()
  const highlight = useHighlight()
  const lines = useMemo(() => splitHighlightedLines(highlight ? highlight(code, language) : escapeHtml(code)), [code, language, highlight])
  const name = language || t('markdown.plain')
  return (
    <div className="code-block">
      <div className="code-head">
        <span>{name}</span>
        <CopyButton text={code} label={t('markdown.copyCode')} />
      </div>
      <pre tabIndex={0} role="region" aria-label={t('markdown.code', { language: name })}>
        <code>
          {lines.map((html, index) => (
            // A line is known by its place: text only grows at the end.
            <Line key={index} html={html} /> // oxlint-disable-line react/no-array-index-key
          ))}
        </code>
      </pre>
    </div>
  )
}

// The HTML is the highlighter's own: spans around escaped text.
const Line = memo(function Line({ html }: { html: string }): JSX.Element {
  return <span className="code-line" dangerouslySetInnerHTML={{ __html: `${html}\n` }} />
})

function useHighlight(): Highlight | undefined {
  const [highlight, setHighlight] = useState<Highlight | undefined>(() => loaded)
  useEffect(() => {
    if (loaded) return
    // Without it code has no colours.
    import('./highlight.ts').then(
      (module) => {
        loaded = module.highlight
        setHighlight(() => module.highlight)
      },
      () => undefined,
    )
  }, [])
  return highlight
}
