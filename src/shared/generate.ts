/**
 * The one request type and the one event union that every dialect is translated to and from.
 * A stream of events ends exactly once, with `finish` or `error`.
 */
import { z } from 'zod'

/** A piece of text in a message. Other kinds of content are refused by the dialects, by name. */
export const MessageSchema = z.strictObject({
  /** `developer` ranks as a system message; a model's format says how it is written. */
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.string(),
  /** The thoughts of an earlier assistant turn; a template decides whether they are kept. */
  reasoning: z.string().optional(),
  name: z.string().optional(),
  toolCallId: z.string().optional(),
  toolCalls: z.array(z.strictObject({ id: z.string(), name: z.string(), arguments: z.string() })).optional(),
})
export type Message = z.infer<typeof MessageSchema>

export const ToolSchema = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  /** JSON Schema of the arguments' object. */
  parameters: z.record(z.string(), z.unknown()).optional(),
  /** The arguments are held to the schema while they are written. */
  strict: z.boolean().optional(),
})
export type Tool = z.infer<typeof ToolSchema>

/** What the model is given: a conversation (rendered by its chat template), a plain text, or token ids. */
export const PromptSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('messages'),
    messages: z.array(MessageSchema).min(1),
    tools: z.array(ToolSchema).optional(),
    /** Absent: the model's default. `effort`: a level's name (`low`, `high`, `max` …) or 1–100; what a model does not know is rounded to what it knows. */
    thinking: z.strictObject({ enabled: z.boolean().optional(), effort: z.union([z.string(), z.number()]).optional() }).optional(),
    /** Extra variables for the template, e.g. `enable_thinking`. */
    templateVariables: z.record(z.string(), z.unknown()).optional(),
    /** The last message is the assistant's and is continued rather than answered. */
    continueLast: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  /** Fill in the middle, by the model's own FIM tokens; `infill-unsupported` where it has none. */
  z.strictObject({ type: z.literal('infill'), prefix: z.string(), suffix: z.string() }),
  z.strictObject({ type: z.literal('tokens'), tokens: z.array(z.number().int().nonnegative()) }),
])
export type Prompt = z.infer<typeof PromptSchema>

const probability = z.number().min(0).max(1)

/** Absent means "the model's or the engine's default". Names and ranges are the ones llama.cpp and OpenAI use. */
export const SamplingSchema = z.strictObject({
  /** 0 is greedy. */
  temperature: z.number().min(0).max(100).optional(),
  /** 0 turns it off. */
  topK: z.number().int().min(0).optional(),
  topP: probability.optional(),
  minP: probability.optional(),
  /** Locally typical sampling; 1 turns it off. */
  typicalP: probability.optional(),
  xtcProbability: probability.optional(),
  xtcThreshold: probability.optional(),
  /** DRY repetition penalty; multiplier 0 turns it off. */
  dryMultiplier: z.number().min(0).optional(),
  dryBase: z.number().min(0).optional(),
  dryAllowedLength: z.number().int().min(0).optional(),
  /** How many tokens back DRY looks; -1 is the whole context. */
  dryPenaltyLastN: z.number().int().min(-1).optional(),
  drySequenceBreakers: z.array(z.string()).optional(),
  /** 1 turns it off. */
  repetitionPenalty: z.number().min(0).optional(),
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
  /** How many tokens back the three penalties look; -1 is the whole context, 0 none. */
  penaltyLastN: z.number().int().min(-1).optional(),
  /** Token id → added to its logit (−100 … 100). */
  logitBias: z.record(z.string().regex(/^\d+$/), z.number().min(-100).max(100)).optional(),
  seed: z.number().int().min(0).max(0xffff_ffff).optional(),
  /** A GBNF grammar whose root rule is `root`. */
  grammar: z.string().optional(),
})
export type Sampling = z.infer<typeof SamplingSchema>

/** What the answer (after the thought) must look like. Enforced while it is written. */
export const OutputFormatSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('json-object') }),
  z.strictObject({ type: z.literal('json-schema'), schema: z.record(z.string(), z.unknown()), name: z.string().optional() }),
  /** The whole answer matches. */
  z.strictObject({ type: z.literal('regex'), pattern: z.string() }),
  /** GBNF (llama.cpp) or XGrammar's EBNF; the root rule is `root`. */
  z.strictObject({ type: z.literal('grammar'), grammar: z.string() }),
])
export type OutputFormat = z.infer<typeof OutputFormatSchema>

export const ToolChoiceSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auto') }),
  z.strictObject({ type: z.literal('none') }),
  /** At least one call of any (allowed) tool. */
  z.strictObject({ type: z.literal('required'), names: z.array(z.string()).optional() }),
  z.strictObject({ type: z.literal('named'), name: z.string() }),
])
export type ToolChoice = z.infer<typeof ToolChoiceSchema>

export const GenerateRequestSchema = z.strictObject({
  id: z.string(),
  /** A deployment's name, a reference, or `default`. */
  model: z.string(),
  prompt: PromptSchema,
  sampling: SamplingSchema.default({}),
  output: OutputFormatSchema.optional(),
  /** Absent: `auto` when there are tools. */
  toolChoice: ToolChoiceSchema.optional(),
  /** false: one call at most. */
  parallelToolCalls: z.boolean().optional(),
  /** Tokens of thought at most; then the thought is closed for the model and the answer begins. */
  thinkingTokens: z.number().int().min(0).optional(),
  /** Letters of other scripts are not sampled in the answer. */
  language: z.enum(['zh', 'en']).optional(),
  /** `auto`: the oldest turns are dropped whole (never system messages, never the last question) until the prompt fits; a `notice` tells which. */
  truncation: z.enum(['auto', 'disabled']).optional(),
  /** Also report the log-probabilities of the prompt's tokens, by one `prompt-logprobs` event. Needs `logprobs`. */
  promptLogprobs: z.boolean().optional(),
  /** Generated tokens at most, per choice; absent means up to the window. */
  maxTokens: z.number().int().min(0).optional(),
  /** The text ends before the first of these; they never leave. */
  stop: z.array(z.string().min(1)).max(64).default([]),
  ignoreEos: z.boolean().default(false),
  /** Independent answers to the same prompt, which is computed once. */
  choices: z.number().int().min(1).max(32).default(1),
  /** Report each token's log-probability and this many alternatives (0 = only the token's own). */
  logprobs: z.number().int().min(0).max(20).optional(),
  /** Same bytes for the same request and seed, whatever else runs. */
  deterministic: z.boolean().default(false),
  /** Gives way to requests that somebody waits for: begins after them, and pauses for them. */
  background: z.boolean().optional(),
  /** How the model's thoughts are handled: split out into `reasoning-delta`, or left in the text. */
  reasoning: z.enum(['split', 'text']).default('split'),
  /** Seconds the deployment stays loaded after this request; -1 is for ever. */
  keepAlive: z.number().min(-1).optional(),
})
export type GenerateRequest = z.infer<typeof GenerateRequestSchema>

export const FINISH_REASONS = ['stop', 'length', 'tool-calls'] as const
export type FinishReason = (typeof FINISH_REASONS)[number]

/** Counts are tokens. `cachedTokens` of the prompt came from the prefix cache; `reasoningTokens` are part of the completion. */
export interface Usage {
  promptTokens: number
  cachedTokens: number
  completionTokens: number
  reasoningTokens: number
}

/** Times in milliseconds, as the engine saw them. */
export interface Timings {
  queuedMs: number
  /** From the first prompt token computed to the first token sampled. */
  promptMs: number
  /** Prompt tokens really computed (not cached). */
  promptTokens: number
  decodeMs: number
  decodeTokens: number
  /** Tokens proposed by speculation, and how many of them were right. */
  draftedTokens: number
  acceptedTokens: number
}

export interface TokenLogprob {
  token: string
  /** UTF-8 bytes; a token may be a part of a character. */
  bytes: number[]
  logprob: number
  top: { token: string; bytes: number[]; logprob: number }[]
}

/** What the caller should know although the answer goes on. */
export type Notice =
  | { code: 'truncated'; droppedMessages: number; droppedTokens: number }
  /** The model wrote broken JSON as arguments; what was sent is the repaired text. */
  | { code: 'repaired-arguments'; choice: number; call: number }
  | { code: 'thought-closed'; choice: number; why: 'budget' | 'asked' }

/** `choice` counts from 0 to `choices - 1`. */
export type GenerateEvent =
  /** 1 = next. Sent when the place changes while the request waits. */
  | { type: 'queued'; position: number }
  /** The deployment is being started for this request. `fraction` (0…1) when it is known. */
  | { type: 'loading'; model: string; fraction?: number }
  /** Prompt tokens done so far, cached ones included. */
  | { type: 'prefill'; done: number; total: number }
  | { type: 'text-delta'; choice: number; text: string; logprobs?: TokenLogprob[] }
  | { type: 'reasoning-delta'; choice: number; text: string; logprobs?: TokenLogprob[] }
  /** Calls come one after the other, numbered from 0: with the next one, or with text, a call is over. */
  | { type: 'tool-call-delta'; choice: number; call: number; id?: string; name?: string; arguments: string }
  /** Before the first text. The first token has no logprob: 0 stands there. */
  | { type: 'prompt-logprobs'; tokens: TokenLogprob[] }
  | { type: 'notice'; notice: Notice }
  | { type: 'choice-end'; choice: number; reason: FinishReason; stopSequence?: string }
  | { type: 'finish'; usage: Usage; timings: Timings }
  | { type: 'error'; error: WireError }

export type GenerateEventType = GenerateEvent['type']

/** An AppError as data: what crosses a process or the network. */
export interface WireError {
  code: string
  data: Record<string, string | number>
  message: string
}

export interface EmbedRequest {
  id: string
  model: string
  /** Each input is a text or a list of token ids. */
  inputs: (string | number[])[]
  normalize: boolean
}

export interface EmbedResult {
  /** One vector an input, in the same order; `dimensions` numbers each. */
  vectors: Float32Array[]
  dimensions: number
  promptTokens: number
}

export interface RerankRequest {
  id: string
  model: string
  query: string
  documents: string[]
}

export interface RerankResult {
  /** One score a document, in the same order; higher is more relevant. */
  scores: number[]
  promptTokens: number
}
