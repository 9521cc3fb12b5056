/** Fields that several OpenAI requests share. `null` means "not given", as with OpenAI. Ranges are those of OpenAI's published description. */
import { z } from 'zod'

const integer = z.number().refine(Number.isInteger, 'expected a whole number')
const probability = z.number().min(0).max(1)
const stop = z.union([z.string(), z.array(z.string()).max(4)], 'expected a text or a list of at most 4 texts')

/** Beside OpenAI's, llama-server's and vLLM's names. */
export const samplingFields = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: probability.nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z.record(z.string().regex(/^\d{1,9}$/, 'keys are token ids'), z.number().min(-100).max(100)).nullish(),
  seed: integer.nullish(),
  top_k: z.int().min(-1).nullish(),
  min_p: probability.nullish(),
  typical_p: probability.nullish(),
  xtc_probability: probability.nullish(),
  xtc_threshold: probability.nullish(),
  dry_multiplier: z.number().min(0).nullish(),
  dry_base: z.number().min(0).nullish(),
  dry_allowed_length: z.int().min(0).nullish(),
  dry_penalty_last_n: z.int().min(-1).nullish(),
  dry_sequence_breakers: z.array(z.string()).max(64).nullish(),
  repetition_penalty: z.number().min(0).nullish(),
  repeat_penalty: z.number().min(0).nullish(),
  repeat_last_n: z.int().min(-1).nullish(),
} as const

const schemaObject = z.record(z.string(), z.unknown())
const schemaOrText = z.union([schemaObject, z.string()], 'expected a JSON Schema, as an object or as text')
const choices = z.array(z.string().min(1)).min(1).max(1024)

/** Ways to say what the answer must look like: llama-server's `grammar` and `json_schema`, vLLM's `guided_…` and `structured_outputs`. */
export const outputFields = {
  grammar: z.string().nullish(),
  json_schema: schemaObject.nullish(),
  guided_json: schemaOrText.nullish(),
  guided_regex: z.string().nullish(),
  guided_choice: choices.nullish(),
  guided_grammar: z.string().nullish(),
  structured_outputs: z
    .looseObject({
      json: schemaOrText.nullish(),
      regex: z.string().nullish(),
      choice: choices.nullish(),
      grammar: z.string().nullish(),
      json_object: z.boolean().nullish(),
    })
    .nullish(),
} as const

export const generationFields = {
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() }).nullish(),
  /** 32 at most here; OpenAI's limit is 128. */
  n: z.int().min(1).max(32).nullish(),
  stop: stop.nullish(),
  ignore_eos: z.boolean().nullish(),
  deterministic: z.boolean().nullish(),
  /** Seconds, or a text such as `5m`; negative is for ever. */
  keep_alive: z.union([z.number(), z.string()], 'expected seconds or a text such as 5m').nullish(),
  /** Letters of other scripts are not sampled in the answer. */
  language: z.enum(['zh', 'en']).nullish(),
  user: z.string().nullish(),
} as const

export const tokenIds: z.ZodArray<z.ZodInt> = z.array(z.int().min(0))

/** What `prompt` and `input` may be. */
export const PROMPT_SHAPES = 'expected a text, a list of texts, a list of token ids, or a list of such lists, none of them empty'
