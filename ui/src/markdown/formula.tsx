import katex from 'katex'
import { memo, useMemo, type JSX } from 'react'

export interface FormulaProps {
  /** TeX. */
  children?: string
  /** On a line of its own. */
  block?: boolean
}

/**
 * One formula. KaTeX gives some fifty elements for each; as HTML of one element they cost React nothing while the text
 * around them grows, and an unchanged formula is never set again.
 */
export const Formula = memo(function Formula({ children = '', block = false }: FormulaProps): JSX.Element {
  const html = useMemo(() => formulaHtml(children, block), [children, block])
  if (html === undefined) return <code>{children}</code>
  return <span dangerouslySetInnerHTML={{ __html: html }} />
})

/** Longer TeX is shown as it was written. */
const MAX_CHARACTERS = 20_000

/** KaTeX's own HTML, from untrusted TeX: no links, classes or images, bounded sizes and expansions. Undefined when it is no TeX. */
export function formulaHtml(tex: string, displayMode: boolean): string | undefined {
  if (tex.length > MAX_CHARACTERS) return undefined
  try {
    return katex.renderToString(tex, { displayMode, trust: false, strict: 'ignore', maxSize: 20, maxExpand: 500 })
  } catch {
    return undefined
  }
}
