/** Formulas: their syntax, and KaTeX with its styles and fonts. Loaded with the first formula. */
import 'katex/dist/katex.min.css'
import type { Element, ElementContent, Root } from 'hast'
import remarkMath from 'remark-math'
import type { Components, MathPlugin } from 'streamdown'
import { Formula } from './formula.tsx'

export const math: MathPlugin = {
  name: 'katex',
  type: 'math',
  remarkPlugin: [remarkMath, { singleDollarTextMath: false }],
  rehypePlugin: () => markFormulas,
}

/** What `markFormulas` makes, rendered. */
export const formulaElements: Components = { formula: Formula as unknown as 'span' }

/** remark-math leaves `code.language-math`, inside of `pre` when the formula stands alone; each becomes one element `formula`. */
function markFormulas(tree: Root | Element): void {
  tree.children.forEach((child, index) => {
    if (child.type !== 'element') return
    const formula = formulaOf(child)
    if (formula) tree.children[index] = formula
    else markFormulas(child)
  })
}

function formulaOf(element: Element): Element | undefined {
  const [first] = element.children
  const block = element.tagName === 'pre'
  const code = block && first?.type === 'element' ? first : element
  if (code.tagName !== 'code' || !classesOf(code).includes('language-math')) return undefined
  return { type: 'element', tagName: 'formula', properties: { block }, children: [{ type: 'text', value: textOf(code.children).trim() }] }
}

function classesOf({ properties }: Element): unknown[] {
  return Array.isArray(properties['className']) ? properties['className'] : []
}

function textOf(nodes: readonly ElementContent[]): string {
  return nodes.map((node) => (node.type === 'text' ? node.value : node.type === 'element' ? textOf(node.children) : '')).join('')
}
