/** What a conversation is rendered by: the template of a model's file, and what is known of the model. */
import type { Prompt } from '../shared/generate.ts'

/** The template variable under which the schema of the answer comes in. */
export const ANSWER_SCHEMA = 'bendi_answer_schema'

export interface TemplateSource {
  /** Jinja; absent when the file has none. */
  template?: string
  /** The texts of the special tokens; empty when the vocabulary has none. */
  bosToken: string
  eosToken: string
  architecture: string
  /** The model's name, for messages and to guess its family. */
  name?: string
}

export type MessagesPrompt = Extract<Prompt, { type: 'messages' }>
