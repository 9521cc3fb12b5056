/** Thoughts between `<think>` and `</think>`: DeepSeek, Qwen and most others. */
import type { ThoughtSyntax } from '../answer-dialect.ts'

export const thinkTags: ThoughtSyntax = { open: '<think>', close: '</think>', forceClose: '\n</think>\n\n' }

/** V3.1 and later write the answer right behind the tag. */
export const tightThinkTags: ThoughtSyntax = { ...thinkTags, forceClose: '</think>' }
