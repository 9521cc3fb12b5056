/** DeepSeek's markup for calls, from V3.2 on. Source: encoding/encoding_dsv32.py, encoding_dsv4.py and encoding_dsv41.py of the models. */
import type { DsmlSyntax } from '../tool-syntax.ts'

/** `block` is the outer element; `gap` stands between `｜DSML｜` and a tag's name. */
export function dsmlCalls(block: string, gap: '' | ' '): DsmlSyntax {
  const tag = `｜DSML｜${gap}`
  return {
    type: 'dsml',
    tag,
    block,
    begin: `\n\n<${tag}${block}>\n`,
    separator: '\n',
    end: `\n</${tag}${block}>`,
    marks: { opens: dsmlOpens() },
  }
}

/** Every version's block, and a call whose block was left out. */
function dsmlOpens(): string[] {
  return ['function_calls', 'tool_calls', 'calls', 'invoke'].flatMap((name) => [`<｜DSML｜${name}`, `<｜DSML｜ ${name}`])
}
