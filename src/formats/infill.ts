/** Fill in the middle: the text before and after the gap, between the tokens that the model was trained with. */

export interface InfillTokens {
  prefix: string
  suffix: string
  /** Absent in suffix-first families, where the model writes right behind the prefix. */
  middle?: string
}

/** As the families' cards give them. The first whose texts are all in the vocabulary is the model's. */
const FAMILIES: readonly InfillTokens[] = [
  // DeepSeek Coder, Coder-V2, V3.
  { prefix: '<｜fim▁begin｜>', suffix: '<｜fim▁hole｜>', middle: '<｜fim▁end｜>' },
  // Qwen 2.5 Coder, CodeGemma, Granite 4.
  { prefix: '<|fim_prefix|>', suffix: '<|fim_suffix|>', middle: '<|fim_middle|>' },
  // StarCoder, SantaCoder, Granite 3, SmolLM2.
  { prefix: '<fim_prefix>', suffix: '<fim_suffix>', middle: '<fim_middle>' },
  { prefix: '<fim-prefix>', suffix: '<fim-suffix>', middle: '<fim-middle>' },
  // CodeLlama.
  { prefix: '▁<PRE>', suffix: '▁<SUF>', middle: '▁<MID>' },
  // Codestral writes the suffix first.
  { prefix: '[PREFIX]', suffix: '[SUFFIX]' },
]

/** The tokens that the file names, or a known family's when all of its texts are tokens. Undefined: the model cannot fill in. */
export function infillTokens(named: Partial<InfillTokens>, isToken: (text: string) => boolean): InfillTokens | undefined {
  const { prefix, suffix, middle } = named
  if (prefix !== undefined && suffix !== undefined && middle !== undefined) return { prefix, suffix, middle }
  return FAMILIES.find((family) => [family.prefix, family.suffix, family.middle].every((text) => text === undefined || isToken(text)))
}

/** The prompt; the model continues with what belongs between. */
export function infillPrompt(tokens: InfillTokens, prefix: string, suffix: string): string {
  if (tokens.middle === undefined) return tokens.suffix + suffix + tokens.prefix + prefix
  return tokens.prefix + prefix + tokens.suffix + suffix + tokens.middle
}
