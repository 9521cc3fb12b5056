/**
 * DeepSeek V3.1, V3.1-Terminus, V3.2-Exp: thoughts by a switch; calls as `name<｜tool▁sep｜>{…}`.
 * Source: the models' tokenizer_config.json and assets/chat_template.jinja; the text about tools is the model card's.
 */
import type { Tool } from '../../shared/generate.ts'
import type { AnswerDialect } from '../answer-dialect.ts'
import type { NamedCallSyntax } from '../tool-syntax.ts'
import { callMarks } from './deepseek-v3.ts'
import { tightThinkTags } from './think-tags.ts'

const calls: NamedCallSyntax = {
  type: 'named',
  begin: '<｜tool▁calls▁begin｜>',
  callBegin: '<｜tool▁call▁begin｜>',
  nameEnd: '<｜tool▁sep｜>',
  callEnd: '<｜tool▁call▁end｜>',
  separator: '',
  end: '<｜tool▁calls▁end｜>',
  marks: callMarks,
}

export const deepseekV31: AnswerDialect = { name: 'deepseek-v3.1', thought: tightThinkTags, tools: calls }

/** What V3.1 was trained to be told about tools; its template leaves that to the caller. Goes behind the system text. */
export function deepseekV31ToolText(tools: readonly Tool[]): string {
  const list = tools.map(
    ({ name, description, parameters }) =>
      `### ${name}\nDescription: ${description ?? ''}\n\nParameters: ${JSON.stringify(parameters ?? { type: 'object', properties: {} })}`,
  )
  return `## Tools
You have access to the following tools:

${list.join('\n\n')}

IMPORTANT: ALWAYS adhere to this exact format for tool use:
<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>tool_call_name<｜tool▁sep｜>tool_call_arguments<｜tool▁call▁end｜>{additional_tool_calls}<｜tool▁calls▁end｜>

Where:
- \`tool_call_name\` must be an exact match to one of the available tools
- \`tool_call_arguments\` must be valid JSON that strictly follows the tool's Parameters Schema
- For multiple tool calls, chain them directly without separators or spaces`
}
