/** What an answer is held to while it is written, as data: it crosses threads, and the engine compiles it with XGrammar. */

/**
 * XGrammar's structural tags in its own spelling, so that `compileStructuralTag({ type: 'structural_tag', format })` takes them as they are.
 * Source: structural_tag.d.ts of @mlc-ai/web-xgrammar 0.1.27.
 */
export type StructuralFormat =
  | { type: 'any_text' }
  | { type: 'const_string'; value: string }
  | { type: 'json_schema'; json_schema: boolean | Record<string, unknown> }
  | { type: 'grammar'; grammar: string }
  | { type: 'regex'; pattern: string }
  | { type: 'sequence'; elements: StructuralFormat[] }
  | { type: 'or'; elements: StructuralFormat[] }
  | StructuralTag
  | { type: 'triggered_tags'; triggers: string[]; tags: StructuralTag[]; at_least_one: boolean; stop_after_first: boolean }
  | { type: 'tags_with_separator'; tags: StructuralTag[]; separator: string; at_least_one: boolean; stop_after_first: boolean }

export interface StructuralTag {
  type: 'tag'
  begin: string
  content: StructuralFormat
  end: string
}

export type ConstraintRoot =
  /** `compileJSONSchema(JSON.stringify(schema))` with its defaults: any white space, and only properties that the schema names. */
  | { type: 'json-schema'; schema: Record<string, unknown> }
  | { type: 'json-object' }
  | { type: 'regex'; pattern: string }
  /** Root rule `root`. */
  | { type: 'grammar'; grammar: string }
  | { type: 'structural'; format: StructuralFormat }

export interface Constraint {
  /**
   * The prompt has opened the thought: nothing is held until this text has been written; the grammar begins with the first token after it
   * (a token that holds both ends the wait and its rest is not checked). Absent: held from the first token; where the model may open a thought by
   * itself, the root allows it.
   */
  afterThought?: string
  root: ConstraintRoot
}
