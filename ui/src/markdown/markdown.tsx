/** An answer's Markdown while it grows. This module is heavy and loaded lazily, see lazy-markdown.tsx. */
import { memo, useEffect, useMemo, useState, type JSX } from 'react'
import { Streamdown, type MathPlugin, type PluginConfig } from 'streamdown'
import { cjkEmphasis } from './cjk-emphasis.ts'
import { elements } from './elements.tsx'
import { hasMath, normalizeMath } from './normalize-math.ts'

export interface MarkdownProps {
  text: string
  /** The text still grows. */
  live: boolean
}

let loadedMath: MathPlugin | undefined

const Markdown = memo(function Markdown({ text, live }: MarkdownProps): JSX.Element {
  const math = useMath(hasMath(text))
  const plugins: PluginConfig = useMemo(() => (math ? { cjk: cjkEmphasis, math } : { cjk: cjkEmphasis }), [math])
  const source = useMemo(() => (math ? normalizeMath(text, live) : text), [text, live, math])
  return (
    <Streamdown
      className="markdown"
      components={elements}
      plugins={plugins}
      controls={false}
      parseIncompleteMarkdown={live}
      isAnimating={live}
      linkSafety={LINK_SAFETY}
    >
      {source}
    </Streamdown>
  )
})
export default Markdown

/** Links are our own component. */
const LINK_SAFETY = { enabled: false } as const

function useMath(needed: boolean): MathPlugin | undefined {
  const [math, setMath] = useState(loadedMath)
  useEffect(() => {
    if (!needed || loadedMath) return
    void import('./math-plugin.ts').then((module) => {
      loadedMath = module.math
      setMath(() => module.math)
    })
  }, [needed])
  return needed ? (math ?? loadedMath) : math
}
