import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { detectDialect } from './detect-dialect.ts'

const real = (file: string): string => readFileSync(new URL(`../../test/fixtures/chat-templates/${file}.jinja`, import.meta.url), 'utf8')

describe('a dialect is told by the template', () => {
  it.each([
    ['deepseek-r1-distill', 'deepseek-r1', 'named'],
    ['deepseek-v3.1', 'deepseek-v3.1', 'named'],
    ['qwen2.5', 'hermes', 'json'],
    ['qwen3', 'qwen3', 'json'],
    ['llama-3.2', 'llama3', 'json'],
    ['mistral-nemo', 'mistral', 'json'],
    ['gemma-2', 'generic', 'json'],
    ['smollm2', 'generic', 'json'],
  ])('%s', (file, name, syntax) => {
    const dialect = detectDialect({ template: real(file), architecture: 'llama', name: 'whatever' })
    expect([dialect.name, dialect.tools.type]).toEqual([name, syntax])
  })

  // Lines out of templates that are in circulation.
  it.each([
    ['gpt-oss', `{{- "<|start|>assistant" }}{{- "<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}`],
    ['deepseek-v4', `{%- set dsml_token = '｜DSML｜' -%}{{- '\\n\\n<' + dsml_token + 'tool_calls>\\n' -}}{{- '<tool_result>' -}}`],
    ['deepseek-v3.2', `{%- set dsml_token = '｜DSML｜' -%}{{- '<' + dsml_token + 'function_calls>' -}}{{- '\\n<result>' -}}`],
    ['deepseek-v4.1', `{{- '<｜System｜>' + system -}}{%- set dsml_token = '｜DSML｜' -%}{{- '<' + dsml_token + ' calls>' -}}`],
    [
      'deepseek-v3.1',
      `{{'<｜Assistant｜>'}}{%- if thinking %}{{'<think>'}}{%- else %}{{'</think>'}}{%- endif %}{{ name + '<｜tool▁sep｜>' }}`,
    ],
    [
      'deepseek-r1',
      `{% set content = content.split('</think>')[-1] %}{{'<｜Assistant｜>'}}{{'<｜tool▁sep｜>' + name + '\\n' + '\`\`\`json'}}`,
    ],
    ['deepseek-v3', `{{'<｜Assistant｜>'}}{{'function<｜tool▁sep｜>' + name + '\\n' + '\`\`\`json'}}`],
    ['kimi-k2', `{{- '<|tool_calls_section_begin|>' }}<|tool_call_begin|>{{ id }}<|tool_call_argument_begin|>`],
    ['glm', `<tool_call>{{ tc.name }}\n<arg_key>{{ k }}</arg_key>\n<arg_value>{{ v }}</arg_value>\n</tool_call>`],
    ['qwen3-coder', `{{- '\\n<tool_call>\\n<function=' + tool_call.name + '>\\n' }}{{- '<parameter=' + args_name + '>\\n' }}`],
    ['mistral', `{{- "[TOOL_CALLS]" + name + "[ARGS]" + arguments }}`],
  ])('%s', (name, template) => {
    expect(detectDialect({ template, architecture: 'llama' }).name).toBe(name)
  })

  it('never by one mark that others write too', () => {
    expect(detectDialect({ template: `{{ '<|message|>' }}`, architecture: 'llama' }).name).toBe('generic')
    expect(detectDialect({ template: `Say <tool_call>`, architecture: 'llama' }).name).toBe('generic')
    expect(detectDialect({ template: `{{ '<think>' }}`, architecture: 'qwen2', name: 'DeepSeek-R1' }).name).toBe('generic')
  })
})

describe('without a template it is told by the name, then by the architecture', () => {
  it.each([
    ['DeepSeek-V4.1-Flash-1017', 'x', 'deepseek-v4.1'],
    ['DeepSeek-V4-Pro-0813', 'x', 'deepseek-v4'],
    ['DeepSeek-V3.2-Exp', 'deepseek32', 'deepseek-v3.1'],
    ['DeepSeek-V3.2', 'deepseek32', 'deepseek-v3.2'],
    ['DeepSeek-V3.1-Terminus', 'deepseek2', 'deepseek-v3.1'],
    ['DeepSeek-V3-0324', 'deepseek2', 'deepseek-v3'],
    ['DeepSeek-R1-0528-Qwen3-8B', 'qwen3', 'deepseek-r1'],
    ['Qwen3-8B', 'qwen3', 'qwen3'],
    ['Qwen2.5-7B-Instruct', 'qwen2', 'hermes'],
    ['Mistral-7B', 'llama', 'mistral'],
    ['Llama-3.2-1B', 'llama', 'llama3'],
    ['gpt-oss-20b', 'gpt-oss', 'gpt-oss'],
    ['mine', 'deepseek4', 'deepseek-v4'],
    ['mine', 'gpt2', 'generic'],
  ])('%s, %s', (name, architecture, expected) => {
    expect(detectDialect({ name, architecture }).name).toBe(expected)
  })
})
