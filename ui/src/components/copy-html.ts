/** A rendered answer as plain HTML that other programs understand when it is pasted. */
export function plainHtml(rendered: Element | null): string | undefined {
  if (!rendered) return undefined
  const copy = rendered.cloneNode(true) as Element
  for (const block of copy.querySelectorAll('.code-block')) block.replaceWith(codeOf(block))
  // KaTeX writes each formula twice; word processors know the MathML.
  for (const formula of copy.querySelectorAll('.katex')) formula.replaceWith(formula.querySelector('math') ?? '')
  for (const element of copy.querySelectorAll('annotation, button, svg, input')) element.remove()
  for (const element of copy.querySelectorAll('*'))
    for (const name of element.getAttributeNames()) if (!KEPT.has(name)) element.removeAttribute(name)
  return copy.innerHTML
}

const KEPT: ReadonlySet<string> = new Set(['href', 'start', 'colspan', 'rowspan', 'align', 'xmlns', 'display', 'mathvariant', 'dir'])

function codeOf(block: Element): Element {
  const pre = document.createElement('pre')
  const code = document.createElement('code')
  code.textContent = block.querySelector('code')?.textContent.replace(/\n$/, '') ?? ''
  pre.append(code)
  return pre
}
