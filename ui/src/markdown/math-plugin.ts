/** Formulas: KaTeX with its styles and fonts. Loaded with the first formula. */
import 'katex/dist/katex.min.css'
import { createMathPlugin } from '@streamdown/math'
import type { MathPlugin } from 'streamdown'

export const math: MathPlugin = createMathPlugin({ singleDollarTextMath: false })
