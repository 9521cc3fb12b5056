/** A prompt → what the worker tokenises, and what is known about the answer to it. Conversations go through the model's chat template. */
import type { Logger } from '../../base/logger.ts'
import type { AnswerDialect } from '../../formats/answer-dialect.ts'
import type { Prompt } from '../../shared/generate.ts'
import type { LoadedModel, PromptText } from './messages.ts'
import { createTemplateRenderer } from './template-thread.ts'
import type { TemplateRenderer } from './template-thread.ts'

export interface PromptRendererOptions {
  /** The model's name, for messages. */
  name: string
  model(): LoadedModel | undefined
  logger: Logger
}

export interface Rendered {
  text: PromptText
  /** Of a conversation: how the model answers it. */
  answer?: { dialect: AnswerDialect; opensThought: boolean; mayThink: boolean }
}

const TEMPLATE_TIMEOUT_MS = 2_000

export class PromptRenderer {
  readonly #options: PromptRendererOptions
  readonly #warned = new Set<string>()
  #templates: TemplateRenderer | undefined

  constructor(options: PromptRendererOptions) {
    this.#options = options
  }

  /** Throws `template-refused`, `template-failed`. */
  async render(prompt: Prompt): Promise<Rendered> {
    switch (prompt.type) {
      case 'tokens':
      case 'infill':
        return { text: prompt }
      case 'text':
        return { text: { type: 'text', text: prompt.text, addSpecial: true, parseSpecial: true } }
      case 'messages':
        return this.#renderMessages(prompt)
    }
  }

  async close(): Promise<void> {
    await this.#templates?.close()
  }

  async #renderMessages(prompt: Extract<Prompt, { type: 'messages' }>): Promise<Rendered> {
    const { bosToken = '', eosToken = '', architecture = '', chatTemplate } = this.#options.model() ?? {}
    const source = { template: chatTemplate, bosToken, eosToken, architecture, name: this.#options.name }
    this.#templates ??= createTemplateRenderer({ timeoutMs: TEMPLATE_TIMEOUT_MS })
    const { text, dialect, opensThought, mayThink, startsWithBos, usedFallback } = await this.#templates.render(source, prompt)
    if (usedFallback !== undefined) this.#warnOnce(usedFallback)
    return { text: { type: 'text', text, addSpecial: !startsWithBos, parseSpecial: true }, answer: { dialect, opensThought, mayThink } }
  }

  #warnOnce(fallback: string): void {
    if (this.#warned.has(fallback)) return
    this.#warned.add(fallback)
    this.#options.logger.warn('a fallback format stands in for the chat template', { model: this.#options.name, reason: fallback })
  }
}
