/** An answer's Markdown while it grows. This module is heavy and loaded lazily, see lazy-markdown.tsx. */
import { memo, useEffect, useMemo, useState, type JSX } from 'react'
import { Streamdown, type Components, type PluginConfig } from 'streamdown'
import { elements } from './elements.tsx'
import { hasMath, normalizeMath } from './normalize-math.ts'
import type * as MathModule from './math-plugin.ts'
import { splitBlocks } from './split-blocks.ts'
import { syntax } from './syntax.ts'

export interface MarkdownProps {
  text: string
  /** The text still grows. */
  live: boolean
}

type Math = typeof MathModule
let loadedMath: Math | undefined

const Markdown = memo(function Markdown({ text, live }: MarkdownProps): JSX.Element {
  const math = useMath(hasMath(text))
  const plugins: PluginConfig = useMemo(() => (math ? { cjk: syntax, math: math.math } : { cjk: syntax }), [math])
  const components: Components = useMemo(() => (math ? { ...elements, ...math.formulaElements } : elements), [math])
  const source = useMemo(() => (math ? normalizeMath(text, live) : text), [text, live, math])
  return (
    <Streamdown
      className="markdown"
      components={components}
      plugins={plugins}
      parseMarkdownIntoBlocksFn={splitBlocks}
      dir="auto"
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

function useMath(needed: boolean): Math | undefined {
  const [math, setMath] = useState(loadedMath)
  useEffect(() => {
    if (!needed || loadedMath) return
    // Without the plugin a formula stays as the model wrote it.
    import('./math-plugin.ts').then(
      (module) => {
        loadedMath = module
        setMath(module)
      },
      () => undefined,
    )
  }, [needed])
  return needed ? (math ?? loadedMath) : math
}
